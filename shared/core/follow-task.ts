import type { TaskHint } from '../messages/topics.ts';
import { change } from './change.ts';
import { appendHistory } from './history.ts';
import { type Ports, publish } from './ports.ts';
import { acceptPlan } from './plan/accept-plan.ts';
import { refs, tasksOf } from './refs.ts';
import { settleRun } from './settle-run.ts';
import { currentAttempt, type Task } from './task.ts';

type FollowPorts = Pick<Ports, 'store' | 'queue' | 'blobs' | 'clock' | 'ids' | 'log' | 'agents' | 'policy' | 'codeHost' | 'host' | 'model' | 'jobs'>;

/** What follows an ended attempt. Idempotent: a repeat finds everything done and does it again without effect. */
export async function followTask(ports: FollowPorts, hint: TaskHint): Promise<void> {
  const found = await ports.store.get(refs.task(hint.tenant, hint.run, hint.task));
  if (found === undefined) return;
  const task = found.data;
  if ((currentAttempt(task)?.generation ?? 0) > hint.generation || task.live) return;
  await followEnded(ports, task);
}

export async function followEnded(ports: FollowPorts, task: Task): Promise<void> {
  const { tenant, run } = task;
  switch (task.kind) {
    case 'plan':
      return task.settled ? acceptPlan(ports, task) : settleRun(ports, tenant, run);
    case 'work':
      return followWork(ports, task);
    case 'integrate':
    case 'fix':
    case 'review':
      return publish(ports, 'run-finished', { v: 1, tenant, run });
  }
}

async function followWork(ports: FollowPorts, task: Task): Promise<void> {
  if (task.settled) await releaseDependants(ports, task);
  else await skipDependants(ports, task);
  const sink = task.dependants.length === 0;
  if (sink || !task.settled) await settleRun(ports, task.tenant, task.run);
}

/** Readiness is counted from the dependencies' own records: no counter, no look-up of the graph. */
async function releaseDependants(ports: FollowPorts, task: Task): Promise<void> {
  const { tenant, run } = task;
  await Promise.all(
    task.dependants.map(async (dependant) => {
      const settled = await ports.store.count({
        from: { collection: tasksOf(tenant, run) },
        where: [
          { field: 'dependants', op: 'array-contains', value: dependant },
          { field: 'settled', op: '==', value: true },
        ],
      });
      if (settled === task.needs[dependant]) await dispatchFirst(ports, tenant, run, dependant);
    }),
  );
}

async function dispatchFirst(ports: FollowPorts, tenant: string, run: string, task: string): Promise<void> {
  await publish(ports, 'task-dispatched', { v: 1, tenant, run, task, generation: 1 });
}

/** A required dependency ended otherwise: all behind it is skipped, one level at a time. */
async function skipDependants(ports: FollowPorts, task: Task): Promise<void> {
  const { tenant, run } = task;
  for (const id of task.dependants) {
    const { data: skipped } = await change(ports.store, refs.task(tenant, run, id), (dependant) => skip(dependant, task.id, ports.clock.now()));
    if (skipped.state === 'skipped') await followEnded(ports, skipped);
  }
}

function skip(task: Task, because: string, at: number): { data: Task } | undefined {
  if (task.state !== 'pending' && task.state !== 'ready') return undefined;
  const history = appendHistory(task.history, { at, state: 'skipped', by: because, note: `${because} did not succeed` });
  return { data: { ...task, state: 'skipped', live: false, settled: task.optional, updatedAt: at, history } };
}
