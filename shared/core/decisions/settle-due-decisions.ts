import { MAX_PAGE, type Versioned } from '../../ports/store.ts';
import { change } from '../change.ts';
import { type Apart, createApart, type Trouble } from '../create-apart.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { notify } from '../settle-run.ts';
import { askAgain, noDecision } from './decide.ts';
import { type Decision, isAwaited } from './decision.ts';
import { followDecision } from './follow-decision.ts';
import { escalatedTo, nextDue } from './new-decision.ts';
import { announceOffers } from './offer-answer.ts';
import { settleDecision } from './settle-decision.ts';
import { voidDecision } from './void-decisions.ts';

/** Who answers when nobody has. */
const DEADLINE = 'deadline';

/** For the sweep: reminds of open decisions, once each, escalates them once, and takes the safe option at the deadline. Bounded; one that fails keeps no other from it. Answers how many were due. */
export async function settleDueDecisions(
  ports: Ports,
  apart: Apart = createApart(ports.log),
): Promise<number> {
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
    await apart.run(troubleOf(found.data), () => settle(ports, found, now));
  }
  return documents.length;
}

function troubleOf({ tenant, run, task, id }: Decision): Trouble {
  return {
    of: { tenant, run, ...(task === undefined ? {} : { task }) },
    what: `decision ${id} of run ${run} of tenant ${tenant} is due and could not be settled`,
    next: `answer it, or cancel run ${run}, if the next sweeps say so too`,
  };
}

/** The same for one decision, for whoever keeps its time otherwise than by the sweep. @throws PenstockError `not_found` */
export async function settleDueDecision(
  ports: Ports,
  { tenant, id }: { tenant: string; id: string },
): Promise<Decision> {
  const ref = refs.decision(tenant, id);
  const found = await ports.store.get(ref);
  if (found === undefined) throw noDecision(id);
  const now = ports.clock.now();
  if (found.data.state !== 'open' || found.data.dueAt > now) return found.data;
  await settle(ports, found, now);
  return (await ports.store.get(ref))?.data ?? found.data;
}

/** What was answered in a comment may only have lost its message. */
async function settle(ports: Ports, found: Versioned<Decision>, now: number): Promise<void> {
  if (found.data.deadline <= now) return expire(ports, found);
  return found.data.offers === undefined ? remind(ports, found.data) : announceOffers(ports, found.data);
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
    id === undefined ? undefined : ports.store.get(refs.task(tenant, runId, id)),
  ]);
  if (run === undefined || !isAwaited(decision, id === undefined ? run.data : task?.data))
    return voidDecision(ports, tenant, decision.id);
  const now = ports.clock.now();
  const whom = decision.escalateAt > now ? '' : `; escalated to ${escalatedTo(decision)}`;
  ports.log.warn(`decision ${decision.id} still waits for an answer${whom}`, {
    tenant,
    run: runId,
    ...(id === undefined ? {} : { task: id }),
  });
  await notify(ports, run.data);
  await change(ports.store, refs.decision(tenant, decision.id), (current) =>
    current.state === 'open' && current.dueAt < nextDue(current, now)
      ? { data: { ...current, dueAt: nextDue(current, now) } }
      : undefined,
  );
}
