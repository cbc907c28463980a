import { MAX_PAGE, type Versioned } from '../../ports/store.ts';
import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { notify } from '../settle-run.ts';
import { askAgain } from './decide.ts';
import { type Decision, isAwaited } from './decision.ts';
import { followDecision } from './follow-decision.ts';
import { settleDecision } from './settle-decision.ts';
import { voidDecision } from './void-decisions.ts';

/** Who answers when nobody has. */
const DEADLINE = 'deadline';

/** For the sweep: reminds of open decisions, once each, and takes the safe option at the deadline. Bounded; answers how many were due. */
export async function settleDueDecisions(ports: Ports): Promise<number> {
  const now = ports.clock.now();
  const { documents } = await ports.store.query<Decision>({
    from: { group: 'decisions' },
    where: [
      { field: 'state', op: '==', value: 'open' },
      { field: 'dueAt', op: '<=', value: now },
    ],
    limit: MAX_PAGE,
  });
  for (const found of documents) {
    if (found.data.deadline <= now) await expire(ports, found);
    else await remind(ports, found.data);
  }
  return documents.length;
}

/** A conflict is left to the next sweep: somebody has just answered, or will be asked anew. */
async function expire(ports: Ports, found: Versioned<Decision>): Promise<void> {
  const answer = { option: found.data.safeOption };
  const settled = await settleDecision(ports, found, answer, { by: DEADLINE, as: 'expired' });
  if (settled === 'stale') await askAgain(ports, found.data);
  else if (settled !== 'conflict') await followDecision(ports, settled);
}

/** The notice goes out first: told twice it is posted once, and a crash in between cannot swallow it. */
async function remind(ports: Ports, decision: Decision): Promise<void> {
  const { tenant, run: runId, task: id } = decision;
  const [run, task] = await Promise.all([
    ports.store.get(refs.run(tenant, runId)),
    ports.store.get(refs.task(tenant, runId, id)),
  ]);
  if (run === undefined || !isAwaited(decision, task?.data)) return voidDecision(ports, tenant, decision.id);
  ports.log.warn(`decision ${decision.id} still waits for an answer`, { tenant, run: runId, task: id });
  await notify(ports, run.data);
  await change(ports.store, refs.decision(tenant, decision.id), (current) =>
    current.state === 'open' && current.dueAt < current.deadline
      ? { data: { ...current, dueAt: current.deadline } }
      : undefined,
  );
}
