import type { Where } from '../ports/store.ts';
import { isToAct } from './hand-over.ts';
import { type Ports, publish } from './ports.ts';
import { tasksOf } from './refs.ts';
import type { Task } from './task.ts';

type ReleasePorts = Pick<Ports, 'store' | 'queue' | 'clock'>;

/** Readiness is counted from the dependencies' own records: no counter, no look-up of the graph. */
export async function releaseDependants(ports: ReleasePorts, task: Task): Promise<void> {
  await Promise.all(task.dependants.map((dependant) => release(ports, task, dependant)));
}

async function release(ports: ReleasePorts, task: Task, dependant: string): Promise<void> {
  const from = { collection: tasksOf(task.tenant, task.run) };
  const among: Where[] = [{ field: 'dependants', op: 'array-contains', value: dependant }];
  const needed = task.needs[dependant];
  const settled = await ports.store.count({
    from,
    where: [...among, { field: 'settled', op: '==', value: true }],
  });
  if (settled !== needed) return;
  const waiting: Where[] = [
    { field: 'id', op: '==', value: dependant },
    { field: 'state', op: '==', value: 'pending' },
  ];
  const isUndone = async () => (await ports.store.count({ from, where: waiting })) > 0;
  if (needed > 1 && !(await isToAct(ports, task, { among, isUndone }))) return;
  const { tenant, run } = task;
  await publish(ports, 'task-dispatched', { v: 1, tenant, run, task: dependant, generation: 1 });
}
