import { type Ports, publish } from './ports.ts';
import { tasksOf } from './refs.ts';
import type { Task } from './task.ts';

type ReleasePorts = Pick<Ports, 'store' | 'queue' | 'memory' | 'trace'>;

/**
 * After the end of an attempt is committed: `task-finished`, and beside it the dispatch of what waited for this task alone, which
 * so comes one message sooner than what has to be counted. A repeat publishes both again.
 */
export async function announceEnd(
  ports: Pick<Ports, 'queue' | 'trace'>,
  task: Task,
  generation: number,
): Promise<void> {
  const { tenant, run, id } = task;
  await Promise.all([
    publish(ports, 'task-finished', { v: 1, tenant, run, task: id, generation }, task),
    task.settled ? releaseSole(ports, task) : undefined,
  ]);
}

/** Dispatches what waited for this task and for nothing else: there is nothing to count. */
export async function releaseSole(ports: Pick<Ports, 'queue' | 'trace'>, task: Task): Promise<void> {
  await Promise.all(soleOf(task).map((dependant) => dispatch(ports, task, dependant)));
}

/**
 * Dispatches what waited for this task and for others, and now waits for nothing. Readiness is counted from the dependencies' own
 * records: no counter, no look-up of the graph. Nobody is missed, because each task commits its end before it looks.
 */
export async function releaseJoins(ports: ReleasePorts, task: Task): Promise<void> {
  const sole = new Set(soleOf(task));
  const joins = task.dependants.filter((dependant) => !sole.has(dependant));
  await Promise.all(joins.map((dependant) => releaseJoin(ports, task, dependant)));
}

/** What waits for a parent waits for its subtasks too, so neither is alone. */
function soleOf({ parent, subtasks = [], soleDependants = [], dependants }: Task): string[] {
  if (parent !== undefined || subtasks.length > 0) return [];
  return soleDependants.filter((id) => dependants.includes(id));
}

function poolOf({ pool, dependantPools = {} }: Task, dependant: string): Task['pool'] {
  const pools = Object.keys(dependantPools) as Task['pool'][];
  return pools.find((one) => dependantPools[one]?.includes(dependant)) ?? pool;
}

async function releaseJoin(ports: ReleasePorts, task: Task, dependant: string): Promise<void> {
  const { tenant, run } = task;
  if (!(await isReady(ports, task, dependant))) return;
  await ports.memory.once(`dispatch ${tenant}/${run}/${dependant}`, task.id, async () => {
    await dispatch(ports, task, dependant);
    return true;
  });
}

async function dispatch(ports: Pick<Ports, 'queue' | 'trace'>, task: Task, dependant: string): Promise<void> {
  const { tenant, run } = task;
  const about = { ...task, pool: poolOf(task, dependant) };
  await publish(ports, 'task-dispatched', { v: 1, tenant, run, task: dependant, generation: 1 }, about);
}

async function isReady(ports: ReleasePorts, { tenant, run }: Task, dependant: string): Promise<boolean> {
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
