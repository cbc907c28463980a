import { PenstockError } from '../../ports/penstock-error.ts';
import type { Versioned } from '../../ports/store.ts';
import { advanceRun } from '../advance-run.ts';
import { appendHistory } from '../history.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Run } from '../run.ts';
import { notify } from '../settle-run.ts';
import type { Ask, Decision } from './decision.ts';
import { newDecision } from './new-decision.ts';

type AskPorts = Pick<Ports, 'store' | 'queue' | 'clock' | 'settings' | 'trace'>;

/**
 * Asks a person something that the run as a whole waits for, once: the question and the run that names it are one commit. One
 * whose plan is asked about stands in a stage of its own.
 */
export async function askAboutRun(
  ports: AskPorts,
  { ref, data: run, version }: Versioned<Run>,
  ask: Ask,
): Promise<Run> {
  const at = ports.clock.now();
  const settings = await ports.settings(run.tenant);
  const decision = newDecision({ run }, ask, { settings, at });
  if (run.decision === decision.id) return run;
  const asking = { ...waiting(run, decision, at), decision: decision.id };
  const { outcome } = await ports.store.commit([
    { op: 'set', ref, data: asking, ifVersion: version },
    { op: 'create', ref: refs.decision(run.tenant, decision.id), data: decision },
  ]);
  if (outcome === 'conflict') {
    throw new PenstockError('conflict', `run ${run.id} changed while decision ${decision.id} was asked`, {
      retry: 'later',
    });
  }
  await notify(ports, asking);
  return asking;
}

function waiting(run: Run, { id, kind, question }: Decision, at: number): Run {
  const note = `decision ${id}: ${question}`;
  if (kind === 'approve_plan' && run.stage !== 'awaiting_approval')
    return advanceRun(run, 'awaiting_approval', { at, by: 'decision', note });
  const history = appendHistory(run.history, { at, state: run.stage, by: 'decision', note });
  return { ...run, updatedAt: at, history };
}
