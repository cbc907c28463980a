import type { Write } from '../ports/store.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { PlannedTask } from '../messages/plan.ts';
import { dependantsOf } from './plan/levels.ts';
import { plannedOf } from './plan/reused-tasks.ts';
import { refs } from './refs.ts';
import type { Run } from './run.ts';
import { type Submission, submitRun, type SubmitOptions, type SubmitPorts } from './submit-run.ts';
import type { Task } from './task.ts';

/** Who asks for a run to be done again. */
export interface RepeatRequest {
  tenant: string;
  run: string;
  actor: string;
  /** `Idempotency-Key`: the same request with it again is the same new run. */
  key?: string;
}

/** What the new run has of the old one. */
export interface Inheritance {
  /** Absent: it is planned anew. */
  plan?: Submission['plan'];
  /** Tasks whose results it takes over. */
  reuse: string[];
}

/** The run that a request names. */
export async function readOldRun(
  ports: Pick<SubmitPorts, 'store'>,
  { tenant, run }: RepeatRequest,
): Promise<Run> {
  const found = await ports.store.get(refs.run(tenant, run));
  if (found === undefined)
    throw new PenstockError('not_found', `there is no run ${run}; it may have been deleted`);
  if (found.data.deletingSince === undefined) return found.data;
  throw new PenstockError(
    'conflict',
    `run ${run} is being deleted; submit its TaskRun again once it is gone`,
  );
}

/** Whether its plan was accepted and became tasks. */
export function wasExecuted({ history }: Run): boolean {
  return history.some(({ state }) => state === 'executing');
}

/**
 * Tasks that succeeded, without those given and everything behind them. A task and what was delegated for it are one: all of
 * them are reused, or none.
 */
export function reusableTasks(
  plan: readonly PlannedTask[],
  tasks: readonly Task[],
  again: readonly string[],
): string[] {
  const work = new Map(tasks.filter(({ kind }) => kind === 'work').map((task) => [task.id, task]));
  const dependants = dependantsOf(plan);
  const repeated = new Set(again.map((id) => plannedOf(work, id)));
  for (const id of repeated) for (const behind of dependants.get(id) ?? []) repeated.add(behind);
  for (const { id, state } of work.values()) if (state !== 'succeeded') repeated.add(plannedOf(work, id));
  return [...work.keys()].filter((id) => !repeated.has(plannedOf(work, id)));
}

/** A new run with the same requirement, as if it were submitted again, and what it inherits. An ended run is never reopened. */
export async function repeatRun(
  ports: SubmitPorts,
  { old, actor }: { old: Run; actor: string },
  inherited: Inheritance,
  options: SubmitOptions,
): Promise<{ run: Run; duplicate: boolean }> {
  const also = (run: Run): Write[] => {
    const name = run.taskRun?.name;
    if (name === undefined) return [];
    return [{ op: 'set', ref: refs.taskRun(run.tenant, name), data: { v: 1, name, run: run.id } }];
  };
  return submitRun(ports, submissionOf(old, actor, inherited), { ...options, also });
}

function submissionOf(old: Run, actor: string, { plan, reuse }: Inheritance): Submission {
  const { tenant, title, requirement, driver, flags, priority, dryRun, taskRun } = old;
  return {
    tenant,
    title,
    requirement,
    ...groundOf(old, reuse.length > 0),
    origin: {
      kind: old.origin.kind,
      actor,
      ...(old.origin.issue === undefined ? {} : { issue: old.origin.issue }),
    },
    ...(old.project === undefined ? {} : { project: old.project }),
    driver,
    ...(flags === undefined ? {} : { flags }),
    priority,
    budgetMicroUsd: old.budget.limitMicroUsd,
    dryRun,
    ...(plan === undefined ? {} : { plan }),
    ...(taskRun === undefined ? {} : { taskRun: { ...taskRun, retryAttempt: taskRun.retryAttempt + 1 } }),
    forkedFrom: { run: old.id, reuse },
  };
}

/** Results hold on the commit that they were made on; without any, the newest one is as good. */
function groundOf(old: Run, isPinned: boolean): Pick<Submission, 'target' | 'contract'> {
  const [target] = old.targets;
  const { contract } = old;
  const pin = isPinned && contract !== undefined ? { contract } : {};
  if (target === undefined) return pin;
  const { headBranch: _own, baseSha, ...rest } = target;
  return { target: isPinned && baseSha !== undefined ? { ...rest, baseSha } : rest, ...pin };
}
