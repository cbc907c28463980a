import { type Ports, publish } from './ports.ts';
import { tasksOf } from './refs.ts';
import type { Task } from './task.ts';

type ReleasePorts = Pick<Ports, 'store' | 'queue' | 'memory' | 'trace'>;

/**
 * Dispatches what waited for this task and now waits for nothing. Readiness is counted from the dependencies' own records: no
 * counter, no look-up of the graph, and no count where this task is all that is waited for. Nobody is missed, because each task
 * commits its end before it looks.
 */
export async function releaseDependants(ports: ReleasePorts, task: Task): Promise<void> {
  await Promise.all(task.dependants.map((dependant) => release(ports, task, dependant)));
}

function poolOf({ pool, dependantPools = {} }: Task, dependant: string): Task['pool'] {
  const pools = Object.keys(dependantPools) as Task['pool'][];
  return pools.find((one) => dependantPools[one]?.includes(dependant)) ?? pool;
}

async function release(ports: ReleasePorts, task: Task, dependant: string): Promise<void> {
  const { tenant, run } = task;
  if (!(await isReady(ports, task, dependant))) return;
  await ports.memory.once(`dispatch ${tenant}/${run}/${dependant}`, task.id, async () => {
    const about = { ...task, pool: poolOf(task, dependant) };
    await publish(ports, 'task-dispatched', { v: 1, tenant, run, task: dependant, generation: 1 }, about);
    return true;
  });
}

async function isReady(ports: ReleasePorts, task: Task, dependant: string): Promise<boolean> {
  const { tenant, run, parent, subtasks = [], soleDependants = [] } = task;
  const isSole = parent === undefined && subtasks.length === 0 && soleDependants.includes(dependant);
  if (isSole) return true;
  const unsettled = await ports.store.count({
    from: { collection: tasksOf(tenant, run) },
    where: [
      { field: 'dependants', op: 'array-contains', value: dependant },
      { field: 'settled', op: '==', value: false },
    ],
    upTo: 1,
  });
  return unsettled === 0;
}
