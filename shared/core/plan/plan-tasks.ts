import type { Agent } from '../../messages/agent-file.ts';
import type { PlannedTask } from '../../messages/plan.ts';
import { appendHistory } from '../history.ts';
import type { Priority, Run } from '../run.ts';
import { MAX_ATTEMPTS, type Task } from '../task.ts';
import { dependantsOf } from './levels.ts';
import { asReused, reusedSubtasks } from './reused-tasks.ts';

/** Head start of a priority over the time it has waited, so that nothing starves (000-02). */
export const BOOST_MS: Record<Priority, number> = {
  critical: 3_600_000,
  high: 900_000,
  normal: 300_000,
  low: 0,
};

export interface NewTask {
  id: string;
  kind: Task['kind'];
  title: string;
  agent: Agent;
  capability?: string;
  instructions: string;
  acceptance?: string[];
  scope?: string[];
  lane?: Task['lane'];
  optional?: boolean;
  /** Index of the run's target. @default 0 */
  target?: number;
  parent?: string;
  depth?: number;
  dependencies?: string[];
  dependants?: string[];
  inputs?: string[];
  fixes?: Task['fixes'];
  allotmentMicroUsd: number;
}

/** A task as it is first stored. */
export function newTask(run: Run, spec: NewTask, at: number, maxAttempts: number): Task {
  return {
    v: 1,
    id: spec.id,
    run: run.id,
    tenant: run.tenant,
    kind: spec.kind,
    title: spec.title,
    agent: spec.agent.name,
    ...(spec.capability === undefined ? {} : { capability: spec.capability }),
    instructions: spec.instructions,
    acceptance: spec.acceptance ?? [],
    scope: spec.scope ?? [],
    lane: spec.lane ?? spec.agent.lane,
    pool: spec.agent.category === 'platform' ? 'core' : spec.agent.category,
    optional: spec.optional ?? false,
    priority: run.priority,
    held: run.paused,
    target: spec.target ?? 0,
    ...(spec.parent === undefined ? {} : { parent: spec.parent }),
    depth: spec.depth ?? 0,
    dependencies: spec.dependencies ?? [],
    dependants: spec.dependants ?? [],
    inputs: spec.inputs ?? null,
    ...(spec.fixes === undefined ? {} : { fixes: spec.fixes }),
    state: 'pending',
    settled: false,
    live: true,
    allotmentMicroUsd: spec.allotmentMicroUsd,
    maxAttempts: Math.min(maxAttempts, MAX_ATTEMPTS),
    rank: at - BOOST_MS[run.priority],
    notBefore: 0,
    leaseUntil: 0,
    attempts: [],
    createdAt: at,
    updatedAt: at,
    history: appendHistory([], { at, state: 'pending', by: 'plan' }),
  };
}

export interface PlanTasks {
  run: Run;
  planned: PlannedTask[];
  agents: ReadonlyMap<string, Agent>;
  /** Tasks of another run whose results are taken over: they are not executed. */
  reused: ReadonlyMap<string, Task>;
  allotmentMicroUsd: number;
  maxAttempts: number;
  at: number;
}

/** The plan's work tasks as records; edges are stored on both ends. */
export function planTasks(options: PlanTasks): Task[] {
  const { run, planned, reused, at } = options;
  const dependants = dependantsOf(planned);
  const tasks = planned.map((task) => {
    const spec = specOf(options, task, dependants.get(task.id) ?? []);
    const fresh = newTask(run, spec, at, options.maxAttempts);
    const old = reused.get(task.id);
    return old === undefined ? fresh : asReused(fresh, old);
  });
  return [...tasks, ...reusedSubtasks(tasks, reused)];
}

function specOf(
  { run, agents, allotmentMicroUsd }: PlanTasks,
  task: PlannedTask,
  dependants: string[],
): NewTask {
  const agent = agents.get(task.agent);
  if (agent === undefined)
    throw new TypeError(`plan of run ${run.id} was not validated: no agent ${task.agent}`);
  return {
    id: task.id,
    kind: 'work',
    title: task.title ?? task.id,
    agent,
    ...(task.capability === undefined ? {} : { capability: task.capability }),
    instructions: task.instructions,
    acceptance: task.acceptance,
    scope: task.scope,
    // Without a repository there is no workspace to have.
    lane: run.targets.length === 0 ? 'function' : (task.lane ?? agent.lane),
    optional: task.optional,
    dependencies: task.dependencies,
    dependants,
    allotmentMicroUsd,
  };
}
