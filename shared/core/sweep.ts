import { MAX_PAGE, type Where } from '../ports/store.ts';
import { admitWaiting } from './admission.ts';
import { change } from './change.ts';
import { openDecision } from './decisions/open-decision.ts';
import { settleDueDecisions } from './decisions/settle-due-decisions.ts';
import { continueDeletions } from './deletion/continue-deletions.ts';
import { continueCancel } from './cancel-run.ts';
import { deliverCallback } from './drivers/deliver-callback.ts';
import { checkDriver } from './drivers/start-driver.ts';
import { dispatchTask } from './dispatch-task.ts';
import { followEnded } from './follow-task.ts';
import { settleHolds } from './pause-run.ts';
import { type Ports, publish } from './ports.ts';
import { refs, tasksOf } from './refs.ts';
import { isTerminal, type Run } from './run.ts';
import { readTasks } from './run-tasks.ts';
import { settleRun } from './settle-run.ts';
import { mayBeStuck, stuckHours } from './stuck-run.ts';
import { lostWhere, takeBack } from './take-back.ts';
import { type Task, UNDER_WAY } from './task.ts';

export interface SweepReport {
  lost: number;
  dispatched: number;
  /** Reminded of, or answered by their deadline. */
  decisions: number;
  runs: number;
  /** Runs whose deletion is under way. */
  deletions: number;
}

/** Records that one sweep looks at, of each kind; the next call goes on. */
const SWEEP_LIMIT = MAX_PAGE;
/** A live run is looked at as a whole when nobody has for this long. */
const RUN_CHECK_MS = 5 * 60_000;

/** Re-derives from the records what a lost message or a dead process left undone. Bounded, idempotent; does nothing when nothing is due. */
export async function sweep(ports: Ports, options: { runCheckMs?: number } = {}): Promise<SweepReport> {
  const lost = await takeBackOverdue(ports);
  const dispatched = await dispatchDue(ports);
  const decisions = await settleDueDecisions(ports);
  await deliverCallbacks(ports);
  const runs = await checkRuns(ports, options.runCheckMs ?? RUN_CHECK_MS);
  const deletions = await continueDeletions(ports);
  return { lost, dispatched, decisions, runs, deletions };
}

async function takeBackOverdue(ports: Ports): Promise<number> {
  const now = ports.clock.now();
  const overdue = await tasksWhere(ports, [
    { field: 'state', op: 'in', value: UNDER_WAY },
    { field: 'leaseUntil', op: '<', value: now },
  ]);
  const judge = lostWhere((current) => current.leaseUntil < now);
  const provider = { answers: true };
  for (const task of overdue) await takeBack(ports, task, judge, provider);
  return overdue.length;
}

async function dispatchDue(ports: Ports): Promise<number> {
  const now = ports.clock.now();
  const due = await tasksWhere(ports, [
    { field: 'state', op: 'in', value: ['pending', 'ready'] },
    { field: 'notBefore', op: '>', value: 0 },
    { field: 'notBefore', op: '<=', value: now },
  ]);
  for (const task of due) if (!task.held) await dispatchTask(ports, task);
  return due.length + (await admitWaiting(ports, SWEEP_LIMIT));
}

async function tasksWhere(ports: Ports, where: Where[]): Promise<Task[]> {
  const page = await ports.store.query<Task>({ from: { group: 'tasks' }, where, limit: SWEEP_LIMIT });
  return page.documents.map(({ data }) => data);
}

/** Live runs, and ended ones whose comment or check run may not say so yet, the longest unchecked first; cancelled ones every time. */
async function checkRuns(ports: Ports, runCheckMs: number): Promise<number> {
  const now = ports.clock.now();
  const before = now - runCheckMs;
  const live: Where = {
    field: 'stage',
    op: 'in',
    value: ['accepted', 'planning', 'awaiting_approval', 'executing', 'integrating', 'awaiting_review'],
  };
  const cancelling: Where = { field: 'stage', op: '==', value: 'cancelling' };
  const open: Where = { field: 'unsettledOutside', op: '==', value: true };
  const found = new Map<string, Run>();
  for (const [where, checkedBy] of [
    [live, before],
    [open, before],
    [cancelling, now],
  ] as const) {
    const page = await ports.store.query<Run>({
      from: { group: 'runs' },
      where: [where, { field: 'checkedAt', op: '<=', value: checkedBy }],
      orderBy: { field: 'checkedAt' },
      limit: SWEEP_LIMIT,
    });
    for (const { data } of page.documents) found.set(`${data.tenant}/${data.id}`, data);
  }
  for (const run of await idleRuns(ports, now)) found.set(`${run.tenant}/${run.id}`, run);
  for (const run of found.values()) await checkRun(ports, run);
  return found.size;
}

/** Workflows are told again that their stage is over. Nothing is asked of the store where no workflow is run. */
async function deliverCallbacks(ports: Ports): Promise<void> {
  if (ports.workflows === undefined) return;
  const page = await ports.store.query<Run>({
    from: { group: 'runs' },
    where: [{ field: 'undeliveredSince', op: '>', value: 0 }],
    limit: SWEEP_LIMIT,
  });
  for (const { data } of page.documents) await deliverCallback(ports, data);
}

/** An executing run without a live attempt has most likely lost a message; another may wait for its CI to begin. */
const IDLE_CHECK_MS = 60_000;

async function idleRuns(ports: Ports, now: number): Promise<Run[]> {
  const page = await ports.store.query<Run>({
    from: { group: 'runs' },
    where: [
      { field: 'stage', op: 'in', value: ['executing', 'awaiting_review'] },
      { field: 'checkedAt', op: '<=', value: now - IDLE_CHECK_MS },
    ],
    orderBy: { field: 'checkedAt' },
    limit: SWEEP_LIMIT,
  });
  const attempts: Where = { field: 'state', op: 'in', value: UNDER_WAY };
  const idle = await Promise.all(
    page.documents.map(async ({ data }) => {
      if (data.stage !== 'executing') return !data.paused && (data.ciLookAt ?? Infinity) <= now ? [data] : [];
      const held = await ports.store.count({
        from: { collection: tasksOf(data.tenant, data.id) },
        where: [attempts],
      });
      return held === 0 ? [data] : [];
    }),
  );
  return idle.flat();
}

async function checkRun(ports: Ports, run: Run): Promise<void> {
  await rederive(ports, run);
  if (!isTerminal(run.stage)) await checkDriver(ports, run);
  const now = ports.clock.now();
  if (mayBeStuck(run, now)) await reportStuck(ports, run);
  await change(ports.store, refs.run(run.tenant, run.id), (current) =>
    current.checkedAt >= now ? undefined : { data: { ...current, checkedAt: now } },
  );
}

/** Said at each check, so that an alert lasts as long as its reason. */
async function reportStuck({ store, clock, log }: Ports, { tenant, id }: Run): Promise<void> {
  const found = await store.get<Run>(refs.run(tenant, id));
  if (found === undefined) return;
  const hours = stuckHours(found.data, await readTasks(store, tenant, id), clock.now());
  if (hours > 0)
    log.warn(`run ${id} is stuck: nothing has changed for ${hours} h`, { tenant, run: id, hours });
}

/** What should be under way for this run according to its records, asked for again. */
export async function rederive(ports: Ports, run: Run): Promise<void> {
  const { tenant, id, stage } = run;
  switch (stage) {
    case 'accepted':
      return publish(ports, 'run-accepted', { v: 1, tenant, run: id }, run);
    case 'awaiting_approval':
    case 'planning':
      await mendTasks(ports, run);
      return publish(ports, 'run-accepted', { v: 1, tenant, run: id }, run);
    case 'executing':
      await rederiveTasks(ports, await mendTasks(ports, run));
      return settleRun(ports, tenant, id);
    case 'integrating':
    case 'awaiting_review':
      await mendTasks(ports, run);
      return publish(ports, 'run-finished', { v: 1, tenant, run: id }, run);
    case 'cancelling':
      return continueCancel(ports, tenant, id);
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return publish(ports, 'notification-requested', { v: 1, tenant, run: id }, run);
  }
}

/** What a crash left half done in the tasks of any stage: a pause that holds some of them, a question that nobody asked. */
async function mendTasks(ports: Ports, run: Run): Promise<Task[]> {
  const tasks = await readTasks(ports.store, run.tenant, run.id);
  for (const task of tasks) if (task.state === 'blocked') await openDecision(ports, task);
  if (tasks.every((task) => !task.live || task.held === run.paused)) return tasks;
  await settleHolds(ports, run);
  return readTasks(ports.store, run.tenant, run.id);
}

async function rederiveTasks(ports: Ports, tasks: Task[]): Promise<void> {
  const now = ports.clock.now();
  const waitedFor = new Set(tasks.flatMap(({ settled, dependants }) => (settled ? [] : dependants)));
  for (const task of tasks) {
    // What waits for room is offered it by rank.
    const waits = task.state === 'pending' || (task.state === 'ready' && task.notBefore > 0);
    if (waits && !task.held && task.notBefore <= now && !waitedFor.has(task.id))
      await dispatchTask(ports, task);
    const unfollowed = !task.live && (task.kind === 'plan' || !task.settled);
    if (unfollowed) await followEnded(ports, task);
  }
}
