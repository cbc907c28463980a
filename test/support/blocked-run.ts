import { refs } from '../../shared/core/refs.ts';
import { appendHistory } from '../../shared/core/history.ts';
import type { Ports } from '../../shared/core/ports.ts';
import type { Run } from '../../shared/core/run.ts';
import type { Task } from '../../shared/core/task.ts';
import { openDecision } from '../../shared/core/decisions/open-decision.ts';
import { attemptOf, runOf, taskOf } from './records.ts';

export const LIMIT = 2_000_000;

/** A run of `local` whose tasks have each used up their allotment of 0.5 dollars in one attempt, with a person asked about each. */
export async function blockedRun(
  ports: Ports,
  { run: runChanges = {}, tasks = [{}] }: { run?: Partial<Run>; tasks?: Partial<Task>[] } = {},
): Promise<{ decisions: string[] }> {
  const now = ports.clock.now();
  const run = runOf({ targets: [], reviews: [], createdAt: now, ...runChanges });
  await ports.store.create(refs.run(run.tenant, run.id), run);
  const decisions: string[] = [];
  for (const changes of tasks) {
    const task = blockedTask({ run: run.id, ...changes });
    await ports.store.create(refs.task(task.tenant, task.run, task.id), task);
    if (task.state === 'blocked') await openDecision(ports, task);
    const asked = (await ports.store.get(refs.task(task.tenant, task.run, task.id)))?.data.decision;
    if (asked !== undefined) decisions.push(asked);
  }
  return { decisions };
}

/** As a budget failure leaves it while the tenant wants to be asked. */
export function blockedTask(changes: Partial<Task> = {}): Task {
  const attempt = attemptOf({
    agent: 'technical_writer',
    endedAt: 1,
    exit: { outcome: 'failed', code: 'budget', class: 'user', message: 'the allotment is used up' },
  });
  const spent = { ...attempt.meter, allowanceMicroUsd: 500_000, spentMicroUsd: 490_000, calls: 3 };
  const task = taskOf({ id: 'api', agent: 'technical_writer', lane: 'function', ...changes });
  const history = appendHistory(task.history, { at: task.createdAt, state: 'blocked', by: `${task.id}/1` });
  return {
    ...task,
    state: 'blocked',
    allotmentMicroUsd: 500_000,
    attempts: [{ ...attempt, meter: spent }],
    history,
    ...changes,
  };
}
