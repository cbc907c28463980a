import type { Agent } from '../../messages/agent-file.ts';
import type { PlannedTask, PlanProposal, ProposedTask } from '../../messages/plan.ts';
import { candidatesFor, capabilitiesOf } from '../agent-registry/candidates.ts';
import { MAX_TASK_BYTES } from '../fit-end.ts';
import { storedBytes } from '../intake/sanitise-text.ts';
import { withAgentEdges } from './agent-edges.ts';
import { dependantsOf, levelsOf } from './levels.ts';
import { withScopeEdges } from './scope-edges.ts';

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
 * An accepted plan has an edge between any two parallel tasks whose file scopes overlap, or whose agent may not run parallel.
 */
export function validatePlan(
  proposal: PlanProposal,
  agents: ReadonlyMap<string, Agent>,
  limits: PlanLimits,
): PlanVerdict {
  const tasks = proposal.tasks.map((task) => ({ ...task, agent: agentFor(task, agents) }));
  if (tasks.length > limits.maxPlanTasks) {
    return { ok: false, reasons: [`the plan has ${tasks.length} tasks; ${limits.maxPlanTasks} are allowed`] };
  }
  const reasons = [
    ...nodeReasons(tasks, agents),
    ...edgeReasons(tasks, agents),
    ...shapeReasons(tasks, limits),
    ...sizeReasons(tasks),
  ];
  if (reasons.length > 0) return { ok: false, reasons: reasons.slice(0, MAX_REASONS) };
  const scoped = withScopeEdges(tasks, (task) => isAssessment(task, agents));
  const edged = withAgentEdges(scoped, (name) => agents.get(name)?.can_run_parallel ?? true);
  const larger = sizeReasons(edged);
  if (larger.length > 0) return { ok: false, reasons: larger.slice(0, MAX_REASONS) };
  return { ok: true, tasks: edged };
}

/** The named one, or the first that has the capability; nothing where none has. */
function agentFor({ agent, capability }: ProposedTask, agents: ReadonlyMap<string, Agent>): string {
  return agent ?? candidatesFor(capability ?? '', agents)[0]?.name ?? '';
}

/** Ids that the platform gives to its own tasks. */
const RESERVED = /^(plan|(integrate|fix|review)-\d+)$/;

function nodeReasons(tasks: PlannedTask[], agents: ReadonlyMap<string, Agent>): string[] {
  const reasons: string[] = [];
  const seen = new Set<string>();
  const assessments = new Set(tasks.filter((task) => isAssessment(task, agents)).map(({ id }) => id));
  for (const { id, agent, capability } of tasks) {
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
    if (capability !== undefined) {
      if (definition === undefined)
        reasons.push(
          `task ${id} asks for ${capability}, which no agent can; known are ${capabilities(agents)}`,
        );
    } else if (definition === undefined || definition.category === 'platform') {
      reasons.push(`task ${id} names the unknown agent ${agent}; known are ${agentNames(agents)}`);
    }
  }
  return reasons;
}

/** All that the agents of this version have, with room for one's own. */
const MAX_NAMED = 120;

function capabilities(agents: ReadonlyMap<string, Agent>): string {
  return capabilitiesOf(agents).slice(0, MAX_NAMED).join(', ');
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

/** A record names who waits for it, in which pool, and who for nothing else. */
const TIMES_NAMED = 3;

/** In bytes and with all edges, as the store counts: what a text has in characters says little of what it takes. */
function sizeReasons(tasks: PlannedTask[]): string[] {
  const dependants = dependantsOf(tasks);
  return tasks.flatMap((task) => {
    const bytes = storedBytes(task) + TIMES_NAMED * storedBytes(dependants.get(task.id) ?? []);
    if (bytes <= MAX_TASK_BYTES) return [];
    return [
      `task ${task.id} takes ${bytes} bytes and ${MAX_TASK_BYTES} are allowed; shorten its instructions or acceptance criteria, or split it`,
    ];
  });
}

/** Assessments change nothing, and are held until there is a pull request. */
function isAssessment({ agent }: PlannedTask, agents: ReadonlyMap<string, Agent>): boolean {
  return agents.get(agent)?.category === 'assessment';
}
