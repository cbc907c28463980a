import type { Agent } from '../../messages/agent-file.ts';
import type { SubtaskProposal } from '../../messages/attempt-api.ts';
import { canBePlanned } from '../agents/task-blocks.ts';
import type { Task, TaskAttempt } from '../task.ts';

/** Delegations above a task, at most. */
export const MAX_DELEGATION_DEPTH = 3;
/** Subtasks of one task, at most. */
export const MAX_FAN_OUT = 10;
/** A subtask that names no budget gets this share of what the attempt that delegates it began with. */
export const DEFAULT_SHARE = 0.125;
/** This share of what an attempt began with stays its own: calls of its model were sized by it. */
export const KEPT_SHARE = 0.5;
/** Less pays no call; so the budget bounds how many subtasks a run can have. */
export const MIN_SUBTASK_MICRO_USD = 10_000;

/** Who stands above a subtask that is asked for: the agents of its chain, the delegating one first. */
export interface Delegation {
  parent: Task;
  attempt: TaskAttempt;
  chain: string[];
  agents: ReadonlyMap<string, Agent>;
}

export type Judgement =
  { ok: true; agent: Agent; microUsd: number } | { ok: false; code: 'forbidden' | 'budget'; reason: string };

/**
 * Whether an agent may delegate this, and what of its allotment goes with it. An agent gets nothing out of a chain of
 * delegations that it stands in already: so none goes round in circles, and nobody delegates to itself.
 */
export function judgeDelegation(
  { parent, attempt, chain, agents }: Delegation,
  wanted: Pick<SubtaskProposal, 'agent' | 'budgetUsd'>,
): Judgement {
  const forbidden = (reason: string): Judgement => ({ ok: false, code: 'forbidden', reason });
  const agent = agents.get(wanted.agent);
  if (agents.get(parent.agent)?.tools.includes('delegate_subtask') !== true)
    return forbidden(`agent ${parent.agent} may not delegate; its file does not name the tool`);
  if (parent.kind !== 'work') return forbidden(`a ${parent.kind} task of the platform delegates nothing`);
  if (agent === undefined || !canBePlanned(agent)) return forbidden(`there is no agent ${wanted.agent}`);
  if (parent.depth >= MAX_DELEGATION_DEPTH)
    return forbidden(`the task is ${parent.depth} delegations deep; do the work yourself`);
  if ((parent.subtasks?.length ?? 0) >= MAX_FAN_OUT)
    return forbidden(`a task delegates at most ${MAX_FAN_OUT} subtasks; do the rest yourself`);
  if (chain.includes(wanted.agent))
    return forbidden(
      `${wanted.agent} stands in this chain of delegations already (${chain.toReversed().join(' → ')})`,
    );
  return judgeBudget(agent, { parent, attempt }, wanted.budgetUsd);
}

function judgeBudget(
  agent: Agent,
  { parent, attempt }: Pick<Delegation, 'parent' | 'attempt'>,
  budgetUsd: number | undefined,
): Judgement {
  const { allowanceMicroUsd, spentMicroUsd, reservedMicroUsd } = attempt.meter;
  const begunWith = allowanceMicroUsd + givenAway(parent, attempt.generation);
  const free = Math.floor(allowanceMicroUsd - spentMicroUsd - reservedMicroUsd - begunWith * KEPT_SHARE);
  const microUsd =
    budgetUsd === undefined
      ? Math.max(MIN_SUBTASK_MICRO_USD, Math.floor(begunWith * DEFAULT_SHARE))
      : Math.floor(budgetUsd * 1e6);
  const usd = (amount: number) => `$${(Math.max(0, amount) / 1e6).toFixed(4)}`;
  const refused = (reason: string): Judgement => ({ ok: false, code: 'budget', reason });
  if (microUsd < MIN_SUBTASK_MICRO_USD)
    return refused(`${usd(microUsd)} pays no subtask; give at least ${usd(MIN_SUBTASK_MICRO_USD)}`);
  if (microUsd > free)
    return refused(`a subtask of ${usd(microUsd)} is too much: ${usd(free)} of your own can be given away`);
  return { ok: true, agent, microUsd };
}

function givenAway({ subtasks = [] }: Task, generation: number): number {
  return subtasks.reduce((sum, given) => sum + (given.generation === generation ? given.microUsd : 0), 0);
}
