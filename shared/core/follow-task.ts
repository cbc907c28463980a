import type { TaskHint } from '../messages/topics.ts';
import { MAX_PAGE } from '../ports/store.ts';
import { cancelRetry } from './cancel-run.ts';
import { admitNext } from './admission.ts';
import { change } from './change.ts';
import { openDecision } from './decisions/open-decision.ts';
import { reportSubtask } from './delegation/report-subtask.ts';
import { appendHistory } from './history.ts';
import { type Ports, publish } from './ports.ts';
import { acceptPlan } from './plan/accept-plan.ts';
import { refs, tasksOf } from './refs.ts';
import { releaseJoins, releaseSole } from './release-dependants.ts';
import { settleRun } from './settle-run.ts';
import { currentAttempt, type Task } from './task.ts';

type FollowPorts = Omit<Ports, 'work'>;

/** What follows an ended attempt. Idempotent: a repeat finds everything done and does it again without effect. */
export async function followTask(ports: FollowPorts, hint: TaskHint): Promise<void> {
  const found = await ports.store.get(refs.task(hint.tenant, hint.run, hint.task));
  if (found === undefined) return;
  const task = found.data;
  if ((currentAttempt(task)?.generation ?? 0) > hint.generation) return;
  await Promise.all([
    admitNext(ports, task),
    task.live ? followFailed(ports, task) : followEnded(ports, task, { isAnnounced: true }),
  ]);
}

/** A failed attempt that was not its task's last: a person is asked, or the next one comes in its time. */
export async function followFailed(ports: FollowPorts, task: Task): Promise<void> {
  if (task.state === 'blocked') await openDecision(ports, task);
  await cancelRetry(ports, task);
}

/** `isAnnounced`: what waited for this task alone was dispatched beside the message that tells of its end. */
export async function followEnded(
  ports: FollowPorts,
  task: Task,
  { isAnnounced = false } = {},
): Promise<void> {
  const { tenant, run } = task;
  if (task.parent !== undefined) await reportSubtask(ports, task);
  switch (task.kind) {
    case 'plan':
      return task.settled ? acceptPlan(ports, task) : settleRun(ports, tenant, run);
    case 'work':
      return followWork(ports, task, isAnnounced);
    case 'integrate':
    case 'fix':
    case 'review':
      return publish(ports, 'run-finished', { v: 1, tenant, run }, task);
  }
}

/** Everything behind an ended task that its end decides, then the run, if that was the last of it. */
async function followWork(ports: FollowPorts, task: Task, isAnnounced: boolean): Promise<void> {
  const ended = task.settled ? [task] : await skipBehind(ports, task);
  for (const each of ended) {
    if (!each.settled) continue;
    if (each !== task || !isAnnounced) await releaseSole(ports, each);
    await releaseJoins(ports, each);
  }
  const isEnd = ended.some(({ dependants }) => dependants.length === 0) || !task.settled;
  if (isEnd) await settleRun(ports, task.tenant, task.run, task);
}

/**
 * A required dependency ended otherwise: all behind it is skipped, each task once however many ways lead to it. Answers what
 * has ended so, `first` included; an optional one counts as settled, so what waits for it goes on.
 */
async function skipBehind(ports: FollowPorts, first: Task): Promise<Task[]> {
  const ended = new Map([[first.id, first]]);
  for (const task of ended.values()) {
    if (task.settled) continue;
    for (const id of task.dependants) {
      if (ended.has(id)) continue;
      const ref = refs.task(first.tenant, first.run, id);
      const { data } = await change(ports.store, ref, (dependant) =>
        skip(dependant, task.id, ports.clock.now()),
      );
      if (data.state !== 'skipped') continue;
      ended.set(id, data);
      await pruneEdges(ports, data);
    }
  }
  return [...ended.values()];
}

/** What is live beside a skipped task releases it no more: its own end may be the end of the run. */
async function pruneEdges(ports: FollowPorts, skipped: Task): Promise<void> {
  const page = await ports.store.query<Task>({
    from: { collection: tasksOf(skipped.tenant, skipped.run) },
    where: [
      { field: 'dependants', op: 'array-contains', value: skipped.id },
      { field: 'live', op: '==', value: true },
    ],
    limit: MAX_PAGE,
  });
  for (const { ref } of page.documents) {
    await change(ports.store, ref, (task) => {
      if (!task.live || !task.dependants.includes(skipped.id)) return undefined;
      return { data: { ...task, dependants: task.dependants.filter((other) => other !== skipped.id) } };
    });
  }
}

function skip(task: Task, because: string, at: number): { data: Task } | undefined {
  if (task.state !== 'pending' && task.state !== 'ready') return undefined;
  const history = appendHistory(task.history, {
    at,
    state: 'skipped',
    by: because,
    note: `${because} did not succeed`,
  });
  return {
    data: {
      ...task,
      state: 'skipped',
      live: false,
      settled: task.optional,
      updatedAt: at,
      history,
    },
  };
}
