import type { PlannedTask } from '../../messages/plan.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Versioned } from '../../ports/store.ts';
import { advanceRun } from '../advance-run.ts';
import { askPlanApproval, isApproved } from '../decisions/approve-plan.ts';
import { askAboutRun } from '../decisions/ask-about-run.ts';
import type { Ask } from '../decisions/decision.ts';
import { dispatchTask } from '../dispatch-task.ts';
import { handBack } from '../drivers/hand-back.ts';
import { mayBegin } from '../drivers/may-begin.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Review, Run, RunPlan } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import { endRun, notify, settleRun } from '../settle-run.ts';
import type { Task } from '../task.ts';
import { estimatePlan } from './estimate-plan.ts';
import { flagsOf } from './flags-of.ts';
import { levelsOf } from './levels.ts';
import { planTasks } from './plan-tasks.ts';
import { readReused } from './reused-tasks.ts';
import { planSourceOf, readPlan, type StoredPlan, storePlan } from './stored-plan.ts';
import { storeTasks } from './store-tasks.ts';

type AcceptPorts = Pick<
  Ports,
  | 'store'
  | 'queue'
  | 'blobs'
  | 'clock'
  | 'log'
  | 'agents'
  | 'policy'
  | 'settings'
  | 'memory'
  | 'trace'
  | 'workflows'
>;

/** Share of the run's budget that its plan's tasks may spend; the rest is for planning, fixing and review. */
const WORK_SHARE = 0.6;
export const PLAN_SHARE = 0.15;

/** The planning task has succeeded: what it planned becomes the run's tasks. */
export async function acceptPlan(ports: AcceptPorts, planTask: Task): Promise<void> {
  const found = await ports.store.get(refs.run(planTask.tenant, planTask.run));
  const key = planTask.result?.outputKey;
  if (found === undefined || key === undefined) return;
  const plan = await readPlan(ports, { key });
  await startPlan(ports, found, { ...plan, filesRead: planTask.result?.filesRead ?? 0 });
}

/** A person was asked about the plan. Until there is an answer nothing happens but that it is asked for once. */
export async function followApproval(ports: AcceptPorts, found: Versioned<Run>): Promise<void> {
  const run = found.data;
  const source = planSourceOf(run);
  if (source === undefined) throw new PenstockError('internal', `run ${run.id} awaits approval of no plan`);
  if (run.reason === undefined) return startPlan(ports, found, await readPlan(ports, source));
  const tasks = await readTasks(ports.store, run.tenant, run.id);
  await endRun(ports, run, 'failed', { reason: run.reason, tasks });
}

/**
 * Stores the run's tasks and takes it to `executing`, then dispatches those that wait for nothing. A repeat only dispatches. A plan
 * that a person has to approve waits for that first, and what a workflow drives until it asks. A paused run begins nothing: resuming
 * it asks again.
 */
export async function startPlan(ports: AcceptPorts, found: Versioned<Run>, plan: StoredPlan): Promise<void> {
  const run = found.data;
  if (run.paused) return;
  if (!isBeforeExecution(run)) return followPlan(ports, run);
  const at = ports.clock.now();
  const settings = await ports.settings(run.tenant);
  const stored =
    run.givenPlan === undefined ? await storePlan(ports, run, plan) : { hash: run.givenPlan.hash };
  const summary = run.plan ?? summarise(ports, run, plan, stored);
  const planned = { ...run, plan: summary };
  const planning =
    run.stage === 'accepted' ? advanceRun(planned, 'planning', { at, by: 'decomposition' }) : planned;
  if (run.dryRun) return endAtPlan(ports, { ...found, data: planning });
  const ask = isApproved(planning) ? undefined : askPlanApproval(settings, planning);
  if (ask !== undefined) return awaitApproval(ports, { ...found, data: planning }, ask);
  if (!mayBegin(run, 'execute')) return keepPlan(ports, found, planning);
  const reused = await readReused(ports.store, run);
  const tasks = tasksOfPlan(ports, run, plan, { reused, maxAttempts: settings.maxAttempts, at });
  const executing: Run = {
    ...advanceRun(planning, 'executing', { at, by: 'decomposition' }),
    reviews: reviewsOf(ports, run, plan),
  };
  await storeTasks(ports.store, found, { meanwhile: planning, next: executing, tasks });
  await notify(ports, executing);
  await begin(ports, run, tasks);
}

/** A repeat: the plan was committed, its first dispatches may have been lost. */
async function followPlan(ports: AcceptPorts, run: Run): Promise<void> {
  if (run.stage === 'executing') await begin(ports, run, await readTasks(ports.store, run.tenant, run.id));
}

/** Dispatches what no attempt was made of and what waits for nothing; where all has ended already, so has the stage. */
async function begin(ports: AcceptPorts, run: Run, tasks: Task[]): Promise<void> {
  const settled = new Set(tasks.filter((task) => task.settled).map(({ id }) => id));
  const due = tasks.filter(
    ({ state, attempts, dependencies }) =>
      state === 'pending' && attempts.length === 0 && dependencies.every((id) => settled.has(id)),
  );
  await Promise.all(due.map((task) => dispatchTask(ports, task)));
  if (!tasks.some((task) => task.live)) await settleRun(ports, run.tenant, run.id);
}

/** The plan stands in the run's record, and its workflow is told where the run stands. */
async function keepPlan(ports: AcceptPorts, found: Versioned<Run>, planned: Run): Promise<void> {
  const isKept = found.data.plan !== undefined;
  if (!isKept) await storeTasks(ports.store, found, { meanwhile: planned, next: planned, tasks: [] });
  await handBack(ports, planned, 'execute');
}

async function awaitApproval(ports: AcceptPorts, planned: Versioned<Run>, ask: Ask): Promise<void> {
  const run = await askAboutRun(ports, planned, ask);
  await handBack(ports, run, 'approve');
}

async function endAtPlan(ports: AcceptPorts, planning: Versioned<Run>): Promise<void> {
  await storeTasks(ports.store, planning, { meanwhile: planning.data, next: planning.data, tasks: [] });
  const tasks = await readTasks(ports.store, planning.data.tenant, planning.data.id);
  await endRun(ports, planning.data, 'succeeded', { tasks });
}

function isBeforeExecution({ stage }: Run): boolean {
  return stage === 'accepted' || stage === 'planning' || stage === 'awaiting_approval';
}

function tasksOfPlan(
  ports: AcceptPorts,
  run: Run,
  plan: StoredPlan,
  given: { reused: ReadonlyMap<string, Task>; maxAttempts: number; at: number },
): Task[] {
  const planned = workOf(ports, run, plan);
  const open = planned.filter(({ id }) => !given.reused.has(id)).length;
  const allotmentMicroUsd = Math.floor((run.budget.limitMicroUsd * WORK_SHARE) / Math.max(1, open));
  return planTasks({ run, planned, agents: ports.agents, allotmentMicroUsd, ...given });
}

/** Assessments of a run with a repository judge its pull request: they are held until there is one. */
function workOf(ports: AcceptPorts, run: Run, plan: StoredPlan): PlannedTask[] {
  if (run.targets.length === 0) return plan.tasks;
  return plan.tasks.filter((task) => ports.agents.get(task.agent)?.category !== 'assessment');
}

/** Who judges the pull request: the plan's assessments, or the code reviewer where it has none. */
function reviewsOf(ports: AcceptPorts, run: Run, plan: StoredPlan): Review[] {
  if (run.targets.length === 0) return [];
  const planned = plan.tasks
    .filter((task) => ports.agents.get(task.agent)?.category === 'assessment')
    .map(({ id, agent, instructions, acceptance }) => ({ id, agent, instructions, acceptance }));
  return planned.length > 0 ? planned : [DEFAULT_REVIEW];
}

const DEFAULT_REVIEW: Review = {
  id: 'review',
  agent: 'code_reviewer',
  instructions: 'Judge whether the change does what was asked, is correct, and is safe to merge.',
};

function summarise(
  ports: AcceptPorts,
  run: Run,
  plan: StoredPlan,
  stored: Pick<RunPlan, 'hash' | 'source'>,
): RunPlan {
  const reused = new Set(run.forkedFrom?.reuse);
  const open = (tasks: PlannedTask[]) => tasks.filter(({ id }) => !reused.has(id));
  const waiting = open(workOf(ports, run, plan)).map(({ id, dependencies }) => ({
    id,
    dependencies: dependencies.filter((other) => !reused.has(other)),
  }));
  const widths = new Map<number, number>();
  for (const level of levelsOf(waiting).values()) widths.set(level, (widths.get(level) ?? 0) + 1);
  return {
    ...stored,
    summary: plan.summary,
    tasks: plan.tasks.length,
    parallel: Math.max(1, ...widths.values()),
    estimateMicroUsd: estimatePlan(open(plan.tasks), ports.agents),
    filesRead: plan.filesRead,
    flags: flagsOf(plan.tasks),
  };
}
