import { PenstockError } from '../../ports/penstock-error.ts';
import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { type Decision, type DecisionAnswer, goesOn } from './decision.ts';
import { followDecision, followRun } from './follow-decision.ts';
import { openDecision } from './open-decision.ts';
import { settleDecision } from './settle-decision.ts';
import { voidDecision } from './void-decisions.ts';

/** Concurrent answers to one decision are few; more tries than this mean that something is wrong. */
const MAX_TRIES = 8;

/**
 * A person's answer. The same answer again is answered the same, and what follows it is done again.
 * @throws PenstockError `not_found`; `invalid` for an option that it has not; `conflict` where it was answered otherwise, or
 * where what it asks about is no longer so: then it is void, and what is asked instead is named.
 */
export async function decide(
  ports: Ports,
  { tenant, id }: { tenant: string; id: string },
  answer: DecisionAnswer,
  by: string,
): Promise<Decision> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const found = await ports.store.get(refs.decision(tenant, id));
    if (found === undefined) throw noDecision(id);
    checkOption(found.data, answer);
    if (found.data.state !== 'open') return repeated(ports, found.data, answer);
    const settled = await settleDecision(ports, found, answer, { by, as: 'decided' });
    if (settled === 'stale') throw voided(found.data, await askAgain(ports, found.data));
    if (settled === 'conflict') continue;
    await followDecision(ports, settled);
    return settled;
  }
  throw new PenstockError('conflict', `decision ${id} kept changing; try again`, { retry: 'later' });
}

export function noDecision(id: string): PenstockError {
  return new PenstockError(
    'not_found',
    `there is no decision ${JSON.stringify(id.slice(0, 60))}; GET /api/decisions lists yours`,
  );
}

function checkOption({ id, options }: Decision, { option, budgetMicroUsd }: DecisionAnswer): void {
  const chosen = options.find((known) => known.id === option);
  if (chosen === undefined) {
    const names = options.map((known) => known.id).join(', ');
    throw new PenstockError('invalid', `decision ${id} has no option '${option}'; it has: ${names}`);
  }
  if (budgetMicroUsd !== undefined && chosen.needs !== 'budgetUsd') {
    throw new PenstockError(
      'invalid',
      `option '${option}' of decision ${id} takes no budgetUsd; leave it out`,
    );
  }
}

async function repeated(ports: Ports, decision: Decision, answer: DecisionAnswer): Promise<Decision> {
  const { id, state, option, budgetMicroUsd, actor } = decision;
  if (state === 'void') throw voided(decision);
  const isSame =
    option === answer.option &&
    (answer.budgetMicroUsd === undefined || answer.budgetMicroUsd === budgetMicroUsd);
  if (!isSame) {
    throw new PenstockError('conflict', `decision ${id} has been answered with ${option} by ${actor}`);
  }
  await followDecision(ports, decision);
  return decision;
}

/** A run asks again when the engine comes by it next. */
const NOTHING_WAITS = {
  run: 'what the run still has to ask is asked anew',
  task: 'nothing waits for it any more',
};

function voided({ id, run, task }: Decision, next?: string): PenstockError {
  const now =
    next === undefined
      ? NOTHING_WAITS[task === undefined ? 'run' : 'task']
      : `decision ${next} asks as things are now`;
  return new PenstockError(
    'conflict',
    `decision ${id} is void: what it asked about ${task === undefined ? '' : `task ${task} of `}run ${run} has changed; ${now}`,
  );
}

/** Voids a decision that no longer fits and asks anew where its task, or its run, still waits. Answers what is asked instead. */
export async function askAgain(ports: Ports, decision: Decision): Promise<string | undefined> {
  const { tenant, run, task: taskId, id } = decision;
  if (taskId === undefined) return askRunAgain(ports, decision);
  const ref = refs.task(tenant, run, taskId);
  const task = (await ports.store.get(ref))?.data;
  // First the new question, which voids the old one itself: a crash in between leaves no task that waits for nothing.
  if (task !== undefined) await openDecision(ports, task);
  await voidDecision(ports, tenant, id);
  const next = (await ports.store.get(ref))?.data;
  return next?.state === 'blocked' && next.decision !== id ? next.decision : undefined;
}

/** A run is asked about when the engine comes by it, so what it waits for now is already known, or will soon be asked. */
async function askRunAgain(ports: Ports, decision: Decision): Promise<string | undefined> {
  const { tenant, run, id } = decision;
  await voidDecision(ports, tenant, id);
  const current = (await ports.store.get(refs.run(tenant, run)))?.data;
  if (current === undefined || !goesOn(current)) return undefined;
  if (current.decision !== undefined && current.decision !== id) return current.decision;
  await change(ports.store, refs.run(tenant, run), ({ decision: named, ...rest }) =>
    named === id ? { data: rest } : undefined,
  );
  await followRun(ports, decision);
  return undefined;
}
