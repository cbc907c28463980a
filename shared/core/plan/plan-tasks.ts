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
  dependantPools?: Task['dependantPools'];
  soleDependants?: string[];
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
    pool: poolOf(spec.agent),
    optional: spec.optional ?? false,
    priority: run.priority,
    held: run.paused,
    target: spec.target ?? 0,
    ...(spec.parent === undefined ? {} : { parent: spec.parent }),
    depth: spec.depth ?? 0,
    dependencies: spec.dependencies ?? [],
    dependants: spec.dependants ?? [],
    ...(spec.dependantPools === undefined ? {} : { dependantPools: spec.dependantPools }),
    ...(spec.soleDependants === undefined ? {} : { soleDependants: spec.soleDependants }),
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
    ...(run.traceparent === undefined ? {} : { traceparent: run.traceparent }),
    createdAt: at,
    updatedAt: at,
    history: appendHistory([], { at, state: 'pending', by: 'plan' }),
  };
}

function poolOf({ category }: Agent): Task['pool'] {
  return category === 'platform' ? 'core' : category;
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
  const pools = new Map(planned.map(({ id, agent }) => [id, poolOf(agentOf(options, agent))]));
  const sole = new Set(planned.filter(({ dependencies }) => dependencies.length === 1).map(({ id }) => id));
  const tasks = planned.map((task) => {
    const spec = specOf(options, task, waitingFor(dependants.get(task.id) ?? [], pools, sole));
    const fresh = newTask(run, spec, at, options.maxAttempts);
    const old = reused.get(task.id);
    return old === undefined ? fresh : asReused(fresh, old);
  });
  return [...tasks, ...reusedSubtasks(tasks, reused)];
}

function agentOf({ run, agents }: PlanTasks, name: string): Agent {
  const agent = agents.get(name);
  if (agent !== undefined) return agent;
  throw new TypeError(`plan of run ${run.id} was not validated: no agent ${name}`);
}

type Waiting = Pick<Task, 'dependants' | 'dependantPools' | 'soleDependants'>;

function waitingFor(
  dependants: string[],
  pools: ReadonlyMap<string, Task['pool']>,
  sole: ReadonlySet<string>,
): Waiting {
  if (dependants.length === 0) return { dependants };
  const dependantPools = Object.groupBy(dependants, (id) => pools.get(id) ?? 'core');
  const soleDependants = dependants.filter((id) => sole.has(id));
  return {
    dependants,
    dependantPools: { ...dependantPools },
    ...(soleDependants.length === 0 ? {} : { soleDependants }),
  };
}

function specOf(options: PlanTasks, task: PlannedTask, waiting: Waiting): NewTask {
  const { run, allotmentMicroUsd } = options;
  const agent = agentOf(options, task.agent);
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
    ...waiting,
    allotmentMicroUsd,
  };
}
