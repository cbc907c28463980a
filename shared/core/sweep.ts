import { MAX_PAGE, type Where } from '../ports/store.ts';
import { admitWaiting } from './admission.ts';
import { change } from './change.ts';
import { openDecision } from './decisions/open-decision.ts';
import { settleDueDecisions } from './decisions/settle-due-decisions.ts';
import { continueDeletions } from './deletion/continue-deletions.ts';
import { continueCancel } from './cancel-run.ts';
import { type Apart, createApart, type Trouble } from './create-apart.ts';
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

/**
 * Re-derives from the records what a lost message or a dead process left undone. Bounded, idempotent; does nothing when nothing is due.
 * A record that cannot be mended keeps no other from it, whoever's it is: it is told in the log, and the next sweep tries it again.
 * @throws what a step threw that could not even ask for its records, after the others were done: the store is down or lacks an index.
 */
export async function sweep(ports: Ports, options: { runCheckMs?: number } = {}): Promise<SweepReport> {
  const steps = createApart(ports.log);
  const records = createApart(ports.log);
  const next = 'the other steps are not kept from theirs; look at the store if the next sweep says so too';
  const step = async (what: string, work: () => Promise<number>): Promise<number> =>
    (await steps.run({ of: {}, what: `the sweep could not ${what}`, next }, work)) ?? 0;
  const lost = await step('take back what is overdue', () => takeBackOverdue(ports, records));
  const due = await step('dispatch what is due', () => dispatchDue(ports, records));
  const admitted = await step('admit what waits', () => admitWaiting(ports, SWEEP_LIMIT, records));
  const decisions = await step('settle decisions', () => settleDueDecisions(ports, records));
  await step('deliver callbacks', () => deliverCallbacks(ports, records));
  const runs = await step('look after runs', () => checkRuns(ports, records, options));
  const deletions = await step('continue deletions', () => continueDeletions(ports, records));
  report(ports, records.errors.length);
  if (steps.errors.length > 0) throw steps.errors[0];
  return { lost, dispatched: due + admitted, decisions, runs, deletions };
}

/** One line to raise an alarm by; what failed stands in those before it. */
function report({ log }: Pick<Ports, 'log'>, failed: number): void {
  if (failed === 0) return;
  const what = failed === 1 ? '1 record' : `${failed} records`;
  log.error(
    `the sweep is done but for ${what}: each has its own line before this one, which says what to do; the next sweep tries again`,
    { failed },
  );
}

async function takeBackOverdue(ports: Ports, records: Apart): Promise<number> {
  const now = ports.clock.now();
  const overdue = await tasksWhere(ports, [
    { field: 'state', op: 'in', value: UNDER_WAY },
    { field: 'leaseUntil', op: '<', value: now },
  ]);
  const judge = lostWhere((current) => current.leaseUntil < now);
  const provider = { answers: true };
  for (const task of overdue)
    await records.run(taskTrouble(task, 'could not be taken back'), () =>
      takeBack(ports, task, judge, provider),
    );
  return overdue.length;
}

/** What its run holds is not asked for: held tasks would stand before all others for as long as the pause. */
async function dispatchDue(ports: Ports, records: Apart): Promise<number> {
  const now = ports.clock.now();
  const due = await tasksWhere(ports, [
    { field: 'state', op: 'in', value: ['pending', 'ready'] },
    { field: 'held', op: '==', value: false },
    { field: 'notBefore', op: '>', value: 0 },
    { field: 'notBefore', op: '<=', value: now },
  ]);
  for (const task of due)
    await records.run(taskTrouble(task, 'could not be dispatched'), () => dispatchTask(ports, task));
  return due.length;
}

function taskTrouble({ tenant, run, id }: Task, what: string): Trouble {
  return {
    of: { tenant, run, task: id },
    what: `task ${id} of run ${run} of tenant ${tenant} ${what}`,
    next: `cancel run ${run} if the next sweeps say so too`,
  };
}

function runTrouble({ tenant, id }: Run, what: string, next: string): Trouble {
  return { of: { tenant, run: id }, what: `run ${id} of tenant ${tenant} ${what}`, next };
}

async function tasksWhere(ports: Ports, where: Where[]): Promise<Task[]> {
  const page = await ports.store.query<Task>({ from: { group: 'tasks' }, where, limit: SWEEP_LIMIT });
  return page.documents.map(({ data }) => data);
}

/** Live runs, and ended ones whose comment or check run may not say so yet, the longest unchecked first; cancelled ones every time. */
async function checkRuns(
  ports: Ports,
  records: Apart,
  { runCheckMs = RUN_CHECK_MS }: { runCheckMs?: number },
): Promise<number> {
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
  for (const run of found.values()) {
    const next = `cancel run ${run.id} if it is live and the next sweeps say so too`;
    await records.run(runTrouble(run, 'could not be looked after', next), () => checkRun(ports, run));
  }
  return found.size;
}

/** Workflows are told again that their stage is over. Nothing is asked of the store where no workflow is run. */
async function deliverCallbacks(ports: Ports, records: Apart): Promise<number> {
  if (ports.workflows === undefined) return 0;
  const page = await ports.store.query<Run>({
    from: { group: 'runs' },
    where: [{ field: 'undeliveredSince', op: '>', value: 0 }],
    limit: SWEEP_LIMIT,
  });
  for (const { data: run } of page.documents) {
    const next = `look at the workflow that drives run ${run.id} if the next sweeps say so too`;
    await records.run(runTrouble(run, 'could not be handed back', next), () => deliverCallback(ports, run));
  }
  return page.documents.length;
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

/** Also where that fails it counts as looked at, so that runs which cannot be mended do not stand before all others. */
async function checkRun(ports: Ports, run: Run): Promise<void> {
  const now = ports.clock.now();
  try {
    await rederive(ports, run);
    if (!isTerminal(run.stage)) await checkDriver(ports, run);
    if (mayBeStuck(run, now)) await reportStuck(ports, run);
  } finally {
    await change(ports.store, refs.run(run.tenant, run.id), (current) =>
      current.checkedAt >= now ? undefined : { data: { ...current, checkedAt: now } },
    );
  }
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
