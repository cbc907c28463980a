import { createHash } from 'node:crypto';
import { planProposal, type PlannedTask } from '../../messages/plan.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Versioned } from '../../ports/store.ts';
import { advanceRun } from '../advance-run.ts';
import { dispatchTask } from '../dispatch-task.ts';
import type { Ports } from '../ports.ts';
import { blobKeys, refs } from '../refs.ts';
import type { EndReason, Review, Run, RunPlan } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import { endRun, notify, settleRun } from '../settle-run.ts';
import type { Task } from '../task.ts';
import { estimatePlan } from './estimate-plan.ts';
import { levelsOf } from './validate-plan.ts';
import { planTasks } from './plan-tasks.ts';

type AcceptPorts = Pick<Ports, 'store' | 'queue' | 'blobs' | 'clock' | 'log' | 'agents' | 'policy'>;

/** What a stored plan holds: validated tasks, and where they came from. */
export interface StoredPlan {
  summary: string;
  tasks: PlannedTask[];
  filesRead: number;
}

/** Share of the run's budget that its plan's tasks may spend; the rest is for planning, fixing and review. */
const WORK_SHARE = 0.6;
export const PLAN_SHARE = 0.15;

/** Plans are named by their content, so storing one twice is storing it once. */
export async function storePlan(
  ports: Pick<Ports, 'blobs'>,
  run: Pick<Run, 'tenant' | 'id'>,
  plan: StoredPlan,
): Promise<{ key: string; hash: string }> {
  const text = JSON.stringify(plan);
  const hash = createHash('sha256').update(text).digest('hex');
  const key = blobKeys.plan(run.tenant, run.id, hash);
  await ports.blobs.put(key, text, { contentType: 'application/json' });
  return { key, hash };
}

export async function readPlan(ports: Pick<Ports, 'blobs'>, key: string): Promise<StoredPlan> {
  const bytes = await ports.blobs.get(key);
  if (bytes === undefined)
    throw new PenstockError('not_found', `plan ${key} is gone; fork the run to plan again`);
  const stored = JSON.parse(new TextDecoder().decode(bytes)) as StoredPlan;
  return { ...stored, tasks: planProposal.parse({ tasks: stored.tasks }).tasks };
}

/** The planning task has succeeded: what it planned becomes the run's tasks. */
export async function acceptPlan(ports: AcceptPorts, planTask: Task): Promise<void> {
  const found = await ports.store.get(refs.run(planTask.tenant, planTask.run));
  const key = planTask.result?.outputKey;
  if (found === undefined || key === undefined) return;
  const plan = await readPlan(ports, key);
  await startPlan(ports, found, { ...plan, filesRead: planTask.result?.filesRead ?? 0 });
}

/** Commits the run's tasks together with its stage, then dispatches those that wait for nothing. A repeat only dispatches. */
export async function startPlan(ports: AcceptPorts, found: Versioned<Run>, plan: StoredPlan): Promise<void> {
  const run = found.data;
  if (run.stage !== 'planning' && run.stage !== 'accepted') return followPlan(ports, run, plan);
  const at = ports.clock.now();
  const summary = summarise(ports, run, plan, await storePlan(ports, run, plan));
  const planned = { ...run, plan: summary };
  const planning =
    run.stage === 'accepted' ? advanceRun(planned, 'planning', { at, by: 'decomposition' }) : planned;
  const reason = approvalNeeded(ports, run, summary);
  if (run.dryRun || reason !== undefined) return endAtPlan(ports, { ...found, data: planning }, reason);
  const tasks = tasksOfPlan(ports, run, plan, at);
  const executing: Run = {
    ...advanceRun(planning, 'executing', { at, by: 'decomposition' }),
    reviews: reviewsOf(ports, run, plan),
  };
  await commitOrRetry(ports, found, executing, tasks);
  await notify(ports, executing);
  await dispatchRoots(ports, tasks);
  if (tasks.length === 0) await settleRun(ports, run.tenant, run.id);
}

async function commitOrRetry(
  ports: AcceptPorts,
  found: Versioned<Run>,
  run: Run,
  tasks: Task[],
): Promise<void> {
  const { outcome } = await ports.store.commit([
    { op: 'set', ref: found.ref, data: run, ifVersion: found.version },
    ...tasks.map((task) => ({
      op: 'create' as const,
      ref: refs.task(run.tenant, run.id, task.id),
      data: task,
    })),
  ]);
  if (outcome === 'committed') return;
  throw new PenstockError('conflict', `run ${run.id} changed while its plan was stored`, { retry: 'later' });
}

/** A repeat: the plan was committed, its first dispatches may have been lost. */
async function followPlan(ports: AcceptPorts, run: Run, plan: StoredPlan): Promise<void> {
  if (run.stage !== 'executing') return;
  const roots = plan.tasks.filter((task) => task.dependencies.length === 0);
  const tasks = await Promise.all(
    roots.map((task) => ports.store.get(refs.task(run.tenant, run.id, task.id))),
  );
  await dispatchRoots(
    ports,
    tasks.flatMap((task) => (task === undefined ? [] : [task.data])),
  );
}

async function dispatchRoots(ports: AcceptPorts, tasks: Task[]): Promise<void> {
  const roots = tasks.filter((task) => task.dependencies.length === 0 && task.state === 'pending');
  await Promise.all(roots.map((task) => dispatchTask(ports, task)));
}

async function endAtPlan(
  ports: AcceptPorts,
  planning: Versioned<Run>,
  reason: EndReason | undefined,
): Promise<void> {
  await commitOrRetry(ports, planning, planning.data, []);
  const to = reason === undefined ? 'succeeded' : 'failed';
  const tasks = await readTasks(ports.store, planning.data.tenant, planning.data.id);
  await endRun(ports, planning.data, to, { tasks, ...(reason === undefined ? {} : { reason }) });
}

/** A caller's own plan is approved by the caller; a model's is executed only within the policy. */
function approvalNeeded(ports: AcceptPorts, run: Run, plan: RunPlan): EndReason | undefined {
  const { autoApproveMicroUsd, autoApproveTasks } = ports.policy;
  if (run.dryRun || run.givenPlan !== undefined) return undefined;
  if (plan.tasks <= autoApproveTasks && plan.estimateMicroUsd <= autoApproveMicroUsd) return undefined;
  const message =
    `the plan of ${plan.tasks} tasks, estimated at $${(plan.estimateMicroUsd / 1e6).toFixed(2)}, needs a person's approval ` +
    `(automatic up to ${autoApproveTasks} tasks and $${(autoApproveMicroUsd / 1e6).toFixed(2)}); read it with 'penstock show ${run.id}' and submit it again as your own plan`;
  return { code: 'approval_required', message };
}

function tasksOfPlan(ports: AcceptPorts, run: Run, plan: StoredPlan, at: number): Task[] {
  const planned = workOf(ports, run, plan);
  const share = Math.floor((run.budget.limitMicroUsd * WORK_SHARE) / Math.max(1, planned.length));
  return planTasks({
    run,
    planned,
    agents: ports.agents,
    allotmentMicroUsd: share,
    maxAttempts: ports.policy.maxAttempts,
    at,
  });
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
    .map(({ id, agent, instructions }) => ({ id, agent, instructions }));
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
  stored: { key: string; hash: string },
): RunPlan {
  const widths = new Map<number, number>();
  for (const level of levelsOf(workOf(ports, run, plan)).values())
    widths.set(level, (widths.get(level) ?? 0) + 1);
  return {
    ...stored,
    summary: plan.summary,
    tasks: plan.tasks.length,
    parallel: Math.max(1, ...widths.values()),
    estimateMicroUsd: estimatePlan(plan.tasks, ports.agents),
    filesRead: plan.filesRead,
  };
}
