import { change } from './change.ts';
import { appendHistory } from './history.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { type EndReason, isTerminal } from './run.ts';
import { readTasks } from './run-tasks.ts';
import { endRun } from './settle-run.ts';
import type { Task } from './task.ts';

/** Ends a run that cannot go on, whatever its stage: nothing of it is left waiting. */
export async function failRun(
  ports: Pick<Ports, 'store' | 'queue' | 'clock' | 'log'>,
  run: { tenant: string; id: string },
  reason: EndReason,
): Promise<void> {
  const found = (await ports.store.get(refs.run(run.tenant, run.id)))?.data;
  if (found === undefined || isTerminal(found.stage) || found.stage === 'cancelling') return;
  const at = ports.clock.now();
  for (const task of await readTasks(ports.store, run.tenant, run.id)) {
    if (task.live) await change(ports.store, refs.task(run.tenant, run.id, task.id), (current) => ended(current, at, reason.code));
  }
  await endRun(ports, found, 'failed', { reason, tasks: await readTasks(ports.store, run.tenant, run.id) });
}

/** A running attempt loses its fence with this: what it still does is not stored any more. */
function ended(task: Task, at: number, note: string): { data: Task } | undefined {
  if (!task.live) return undefined;
  const history = appendHistory(task.history, { at, state: 'cancelled', by: 'engine', note });
  return { data: { ...task, state: 'cancelled', live: false, leaseUntil: 0, updatedAt: at, history } };
}
