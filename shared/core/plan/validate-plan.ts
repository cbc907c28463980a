import type { Agent } from '../../messages/agent-file.ts';
import type { PlannedTask, PlanProposal } from '../../messages/plan.ts';
import { overlappingScopes } from './scopes.ts';

/** So many reasons are told; a longer list helps nobody. */
const MAX_REASONS = 50;

export interface PlanLimits {
  maxPlanTasks: number;
  /** Tasks in the longest chain. */
  maxPlanDepth: number;
}

export type PlanVerdict = { ok: true; tasks: PlannedTask[] } | { ok: false; reasons: string[] };

/**
 * Nodes first, then edges by issued ids; all reasons at once.
 * An accepted plan has an edge between any two parallel tasks whose file scopes overlap.
 */
export function validatePlan(
  proposal: PlanProposal,
  agents: ReadonlyMap<string, Agent>,
  limits: PlanLimits,
): PlanVerdict {
  const { tasks } = proposal;
  if (tasks.length > limits.maxPlanTasks) {
    return { ok: false, reasons: [`the plan has ${tasks.length} tasks; ${limits.maxPlanTasks} are allowed`] };
  }
  const reasons = [
    ...nodeReasons(tasks, agents),
    ...edgeReasons(tasks, agents),
    ...shapeReasons(tasks, limits),
  ];
  if (reasons.length > 0) return { ok: false, reasons: reasons.slice(0, MAX_REASONS) };
  return { ok: true, tasks: withScopeEdges(tasks, agents) };
}

/** Ids that the platform gives to its own tasks. */
const RESERVED = /^(plan|(integrate|fix|review)-\d+)$/;

function nodeReasons(tasks: PlannedTask[], agents: ReadonlyMap<string, Agent>): string[] {
  const reasons: string[] = [];
  const seen = new Set<string>();
  const assessments = new Set(tasks.filter((task) => isAssessment(task, agents)).map(({ id }) => id));
  for (const { id, agent } of tasks) {
    const judged = /^(.+)-\d+$/.exec(id)?.[1];
    if (judged !== undefined && assessments.has(judged))
      reasons.push(`task id ${id} is kept for a later round of ${judged}; choose another`);
    if (seen.has(id)) reasons.push(`task ${id} stands twice; every id must be unique`);
    seen.add(id);
    if (id === 'review' && agents.get(agent)?.category !== 'assessment') {
      reasons.push(`task id review is kept for an assessment agent; choose another`);
    }
    if (RESERVED.test(id)) reasons.push(`task id ${id} is kept for the platform; choose another`);
    const definition = agents.get(agent);
    if (definition === undefined || definition.category === 'platform') {
      reasons.push(`task ${id} names the unknown agent ${agent}; known are ${agentNames(agents)}`);
    }
  }
  return reasons;
}

function agentNames(agents: ReadonlyMap<string, Agent>): string {
  return [...agents.values()]
    .filter((agent) => agent.category !== 'platform')
    .map((agent) => agent.name)
    .join(', ');
}

function edgeReasons(tasks: PlannedTask[], agents: ReadonlyMap<string, Agent>): string[] {
  const reasons: string[] = [];
  const byId = new Map(tasks.map((task) => [task.id, task]));
  for (const { id, dependencies } of tasks) {
    for (const dependency of dependencies) {
      const on = byId.get(dependency);
      if (dependency === id) reasons.push(`task ${id} depends on itself`);
      else if (on === undefined)
        reasons.push(`task ${id} depends on ${dependency}, which is not in the plan`);
      else if (
        agents.get(on.agent)?.category === 'assessment' &&
        agents.get(byId.get(id)?.agent ?? '')?.category !== 'assessment'
      ) {
        reasons.push(
          `task ${id} depends on the assessment ${dependency}, which judges the finished pull request`,
        );
      }
    }
    if (new Set(dependencies).size !== dependencies.length)
      reasons.push(`task ${id} names a dependency twice`);
  }
  return reasons;
}

/** Cycles and depth, as far as the edges that do name other tasks tell. */
function shapeReasons(tasks: PlannedTask[], limits: PlanLimits): string[] {
  const known = new Map(tasks.map((task) => [task.id, task]));
  const sound = [...known.values()].map(({ id, dependencies }) => ({
    id,
    dependencies: [...new Set(dependencies)].filter(
      (dependency) => dependency !== id && known.has(dependency),
    ),
  }));
  const levels = levelsOf(sound);
  const inCycle = sound.filter((task) => !levels.has(task.id)).map((task) => task.id);
  if (inCycle.length > 0)
    return [`these tasks wait for each other in a cycle: ${inCycle.slice(0, 20).join(', ')}`];
  const depth = Math.max(...levels.values()) + 1;
  if (depth <= limits.maxPlanDepth) return [];
  return [`the longest chain has ${depth} tasks; ${limits.maxPlanDepth} are allowed`];
}

/** Task → length of the longest chain before it; tasks in a cycle, or behind one, are missing. */
export function levelsOf(tasks: readonly Pick<PlannedTask, 'id' | 'dependencies'>[]): Map<string, number> {
  const waiting = new Map(tasks.map((task) => [task.id, task.dependencies.length]));
  const dependants = new Map<string, string[]>();
  for (const task of tasks) {
    for (const dependency of task.dependencies) {
      dependants.set(dependency, [...(dependants.get(dependency) ?? []), task.id]);
    }
  }
  const levels = new Map<string, number>();
  let level = tasks.filter((task) => task.dependencies.length === 0).map((task) => task.id);
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const id of level) {
      levels.set(id, depth);
      for (const dependant of dependants.get(id) ?? []) {
        const left = (waiting.get(dependant) ?? 0) - 1;
        waiting.set(dependant, left);
        if (left === 0) next.push(dependant);
      }
    }
    level = next;
  }
  return levels;
}

/** Assessments change nothing, and are held until there is a pull request. */
function isAssessment({ agent }: PlannedTask, agents: ReadonlyMap<string, Agent>): boolean {
  return agents.get(agent)?.category === 'assessment';
}

/** Two tasks that may run at the same time and change the same files: the later one in the plan waits for the earlier. */
function withScopeEdges(tasks: PlannedTask[], agents: ReadonlyMap<string, Agent>): PlannedTask[] {
  const result = tasks.map((task) => ({ ...task, dependencies: [...task.dependencies] }));
  for (const [index, task] of result.entries()) {
    for (const earlier of result.slice(0, index)) {
      if (isAssessment(task, agents) || isAssessment(earlier, agents)) continue;
      if (!overlappingScopes(earlier.scope, task.scope)) continue;
      if (reaches(result, task.id, earlier.id) || reaches(result, earlier.id, task.id)) continue;
      task.dependencies.push(earlier.id);
    }
  }
  return result;
}

/** Whether `from` already waits for `to`, directly or not. */
function reaches(tasks: readonly PlannedTask[], from: string, to: string): boolean {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const open = [from];
  const seen = new Set<string>();
  while (open.length > 0) {
    const id = open.pop() ?? '';
    if (id === to) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(byId.get(id)?.dependencies ?? []));
  }
  return false;
}
