import type { Ports } from './ports.ts';
import { tasksOf } from './refs.ts';
import type { Task } from './task.ts';
import type { Where } from '../ports/store.ts';

/** How long the task that ended last may take to act before the others that saw the same act in its place. */
const HANDOVER_MS = 250;

/**
 * Whether the caller is to act on what several ended tasks may find complete at the same moment: at once for the one that ended
 * last, for the others only when it turns out later that nobody has (`isUndone`). So a join is dispatched once and its record
 * is not fought over, and still none is missed: ends are ordered by clocks, and those may be wrong.
 */
export async function isToAct(
  ports: Pick<Ports, 'store' | 'clock'>,
  task: Task,
  { among, isUndone }: { among: Where[]; isUndone: () => Promise<boolean> },
): Promise<boolean> {
  if (task.endedAs === undefined) return true;
  const later: Where = { field: 'endedAs', op: '>', value: task.endedAs };
  const from = { collection: tasksOf(task.tenant, task.run) };
  if ((await ports.store.count({ from, where: [...among, later] })) === 0) return true;
  const left = task.updatedAt + HANDOVER_MS - ports.clock.now();
  if (left > 0) await ports.clock.sleep(Math.min(left, HANDOVER_MS));
  return isUndone();
}
