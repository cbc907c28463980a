import type { RunHint } from '../messages/topics.ts';
import { isTransient, PenstockError } from '../ports/penstock-error.ts';
import type { Versioned } from '../ports/store.ts';
import { advanceRun } from './advance-run.ts';
import { takeOffers } from './decisions/take-offers.ts';
import { mayBegin } from './drivers/may-begin.ts';
import { startDriver } from './drivers/start-driver.ts';
import { executeTask } from './execute-task.ts';
import { followTask } from './follow-task.ts';
import { followApproval, PLAN_SHARE, startPlan } from './plan/accept-plan.ts';
import { readPlan } from './plan/stored-plan.ts';
import { newTask } from './plan/plan-tasks.ts';
import type { Ports } from './ports.ts';
import { prepareTarget, refusedActor } from './prepare-target.ts';
import { refs } from './refs.ts';
import type { EndReason, Run } from './run.ts';
import { endRun, notify } from './settle-run.ts';
import type { Task } from './task.ts';
import { chargeRun, withinBudgets } from './within-budgets.ts';

const ARCHITECT = 'project_architect';

/**
 * An accepted run: its actor's permission is checked, it is pinned, then its own plan is started, or the architect is asked for one.
 * One that a workflow drives is given its execution first, and waits until that asks. Idempotent at every step. A paused run begins
 * nothing: resuming it asks again.
 */
export async function decomposeRun(ports: Ports, hint: RunHint): Promise<void> {
  const ref = refs.run(hint.tenant, hint.run);
  const known = await ports.store.get(ref);
  if (known === undefined) return;
  const found = await afterOffers(ports, known);
  const { stage, givenPlan, paused } = found.data;
  if (paused) return;
  if (stage === 'accepted') return begin(ports, found);
  if (stage === 'awaiting_approval') return followApproval(ports, found);
  if (givenPlan !== undefined) return startPlan(ports, found, await readPlan(ports, givenPlan.source));
  return planTask(ports, hint);
}

/** The run with what comments have answered; before its first stage nothing has been asked. */
async function afterOffers(ports: Ports, known: Versioned<Run>): Promise<Versioned<Run>> {
  if (known.data.stage === 'accepted') return known;
  await takeOffers(ports, known.data);
  return (await ports.store.get(known.ref)) ?? known;
}

/** Nobody who may not start the run has an execution started for it, or any of a budget set aside. */
async function begin(ports: Ports, found: Versioned<Run>): Promise<void> {
  const run = found.data;
  const refused = await refusedActor(ports, run).catch(asReason);
  if (refused !== undefined) return endRun(ports, run, 'failed', { reason: refused, tasks: [] });
  return mayBegin(run, 'plan') ? beginPlanning(ports, found) : startDriver(ports, run);
}

async function beginPlanning(ports: Ports, accepted: Versioned<Run>): Promise<void> {
  const found = await chargeRun(ports, accepted);
  const run = found.data;
  const over = await withinBudgets(ports, run);
  if (over !== undefined) return endRun(ports, run, 'failed', { reason: over, tasks: [] });
  const prepared = await prepareOrFail(ports, run);
  if (!prepared.ok) return endRun(ports, run, 'failed', { reason: prepared.reason, tasks: [] });
  const pinned = withinContract({ ...run, ...prepared.prepared });
  if (run.givenPlan !== undefined) {
    return startPlan(ports, { ...found, data: pinned }, await readPlan(ports, run.givenPlan.source));
  }
  const at = ports.clock.now();
  const planning = advanceRun(pinned, 'planning', { at, by: 'decomposition' });
  const { maxAttempts } = await ports.settings(run.tenant);
  const task = architectTask(ports, planning, { at, maxAttempts });
  const { outcome } = await ports.store.commit([
    { op: 'set', ref: found.ref, data: planning, ifVersion: found.version },
    { op: 'create', ref: refs.task(run.tenant, run.id, task.id), data: task },
  ]);
  if (outcome === 'conflict') {
    throw new PenstockError('conflict', `run ${run.id} changed while planning began`, { retry: 'later' });
  }
  await notify(ports, planning);
  await planTask(ports, { v: 1, tenant: run.tenant, run: run.id });
}

/** The repository may ask for less to be spent on it than the run brings, never for more. */
function withinContract(run: Run): Run {
  const { budgetUsd } = run.contract?.commands ?? {};
  if (budgetUsd === undefined) return run;
  const limitMicroUsd = Math.min(run.budget.limitMicroUsd, Math.round(budgetUsd * 1e6));
  return { ...run, budget: { limitMicroUsd }, chargedMicroUsd: limitMicroUsd };
}

async function prepareOrFail(ports: Ports, run: Run): ReturnType<typeof prepareTarget> {
  const { targets, contract } = run;
  // Results are taken over onto the very commit that they were made on.
  if (contract !== undefined) return { ok: true, prepared: { targets, contract } };
  return prepareTarget(ports, run).catch((error: unknown) => ({ ok: false, reason: asReason(error) }));
}

/** What the host refuses for good ends the run; what may pass is tried again by the next delivery. */
function asReason(error: unknown): EndReason {
  if (isTransient(error) || !(error instanceof PenstockError)) throw error;
  return { code: error.code, message: error.message };
}

/** The planning task is an attempt like any other: claimed, leased, paid, retried. Here it is also executed. */
async function planTask(ports: Ports, { tenant, run }: RunHint): Promise<void> {
  const task = (await ports.store.get(refs.task(tenant, run, 'plan')))?.data;
  if (task === undefined) return;
  const generation = task.attempts.length;
  if (task.live) return executeTask(ports, { v: 1, tenant, run, task: 'plan', generation: generation + 1 });
  return followTask(ports, { v: 1, tenant, run, task: 'plan', generation });
}

function architectTask(
  ports: Ports,
  run: Run,
  { at, maxAttempts }: { at: number; maxAttempts: number },
): Task {
  const agent = ports.agents.get(ARCHITECT);
  if (agent === undefined)
    throw new PenstockError('config', `there is no agent ${ARCHITECT}; restore its file`);
  const spec = {
    id: 'plan',
    kind: 'plan' as const,
    title: 'Plan the work',
    agent,
    instructions: 'Decompose the requirement into tasks for the agents that are listed.',
    lane: 'function' as const,
    allotmentMicroUsd: Math.floor(run.budget.limitMicroUsd * PLAN_SHARE),
  };
  return newTask(run, spec, at, maxAttempts);
}
