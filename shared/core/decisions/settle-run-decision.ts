import type { Versioned } from '../../ports/store.ts';
import { appendHistory } from '../history.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { type Run, touched } from '../run.ts';
import { planContentOf } from './approve-plan.ts';
import { type Decision, type DecisionAnswer, isAwaited } from './decision.ts';
import type { Settler } from './settle-decision.ts';

/** What an answer other than approval ends the run with. */
const REFUSED = {
  approve_plan: { decided: 'plan_rejected', expired: 'approval_required', what: 'its plan was not approved' },
  risky_change: {
    decided: 'risky_change',
    expired: 'risky_change',
    what: 'its change of protected files was not approved; nothing was written',
  },
} as const;

/**
 * Answers what a run as a whole waits for: decision and run change in one commit or not at all. What follows from it the engine
 * does when it comes by the run next, whatever drives it.
 */
export async function settleRunDecision(
  ports: Pick<Ports, 'store' | 'clock'>,
  found: Versioned<Decision>,
  answer: DecisionAnswer,
  settler: Settler,
): Promise<Decision | 'stale' | 'conflict'> {
  const run = await ports.store.get(refs.run(found.data.tenant, found.data.run));
  if (run === undefined || !isAwaited(found.data, run.data) || hasChanged(found.data, run.data))
    return 'stale';
  const endedAt = ports.clock.now();
  const settled: Decision = { ...found.data, ...answer, state: settler.as, actor: settler.by, endedAt };
  const { outcome } = await ports.store.commit([
    { op: 'set', ref: found.ref, data: settled, ifVersion: found.version },
    { op: 'set', ref: run.ref, data: answered(run.data, settled), ifVersion: run.version },
  ]);
  return outcome === 'committed' ? settled : 'conflict';
}

/** A change that was approved and is another one now is asked about again by whoever would write it. */
function hasChanged({ kind, contentHash }: Decision, run: Run): boolean {
  return kind === 'approve_plan' && planContentOf(run) !== contentHash;
}

function answered(run: Run, decision: Decision): Run {
  const { kind, option, contentHash, state, actor = '', endedAt: at = 0 } = decision;
  const { decision: _answered, ...rest } = state === 'decided' ? touched(run) : run;
  const note = `decision ${decision.id}: ${option}`;
  const history = appendHistory(run.history, { at, state: run.stage, by: actor, note });
  const going = { ...rest, updatedAt: at, history };
  if (option === 'approve') return { ...going, approvals: [...(run.approvals ?? []), contentHash] };
  if (kind === 'budget_raise') return going;
  const why = REFUSED[kind];
  const by = state === 'decided' ? `rejected by ${actor}` : 'nobody answered in time';
  const message = `${why.what}: ${by} (decision ${decision.id})`;
  return { ...going, reason: { code: why[state === 'decided' ? 'decided' : 'expired'], message } };
}
