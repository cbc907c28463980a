import type { TaskHint } from '../messages/topics.ts';
import type { Versioned } from '../ports/store.ts';
import { change } from './change.ts';
import { type Fence, hashSecret, withAttempt } from './fence.ts';
import { appendHistory } from './history.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { currentAttempt, spentMicroUsd, type Task, type TaskAttempt } from './task.ts';

type ClaimPorts = Pick<Ports, 'store' | 'clock' | 'ids' | 'agents' | 'policy' | 'host' | 'model'>;

/** `mine`: go on. `ended`: this generation has ended, so what follows it is done again. `other`: nothing to do. */
export type Claim =
  { outcome: 'mine'; fence: Fence; task: Task; version: string } | { outcome: 'ended' | 'other'; task: Task };

/** The task as it was read, and who is to do it. @default read again, the agent that it names */
export interface ClaimOptions {
  known?: Versioned<Task>;
  agent?: string;
}

/** What a dispatch of generation `n` means for the task as it stands now. */
export function decideDispatch(task: Task, generation: number, now: number): 'claim' | 'ended' | 'other' {
  const attempt = currentAttempt(task);
  if (attempt?.generation === generation && attempt.exit !== undefined) return 'ended';
  const waiting = task.state === 'pending' || task.state === 'ready';
  const next = (attempt?.generation ?? 0) + 1 === generation;
  return waiting && next && !task.held && task.notBefore <= now ? 'claim' : 'other';
}

/** Function lane: `pending | ready → running` in one compare-and-set. */
export async function claimTask(
  ports: ClaimPorts,
  hint: TaskHint,
  { known, agent }: ClaimOptions = {},
): Promise<Claim> {
  const claimId = ports.ids.secret();
  const now = ports.clock.now();
  const { limitMs, renewMs } = { limitMs: ports.policy.functionLaneLimitMs, renewMs: ports.policy.leaseMs };
  const decide = (current: Task) => {
    if (decideDispatch(current, hint.generation, now) !== 'claim') return undefined;
    const task = { ...current, agent: agent ?? current.agent };
    const attempt = newAttempt(ports, task, { generation: hint.generation, hardLimitAt: now + limitMs });
    const claimed = { ...attempt, claimHash: hashSecret(claimId), host: ports.host };
    return { data: entered(task, 'running', [...task.attempts, claimed], now, now + renewMs) };
  };
  const result = await change(ports.store, refs.task(hint.tenant, hint.run, hint.task), decide, known);
  return answer(result, { ...hint, claimId }, now);
}

/** Job lane, first half: `pending | ready → starting`, with the hash of a one-time ticket. */
export async function reserveJob(
  ports: ClaimPorts,
  hint: TaskHint,
  { known, agent }: ClaimOptions = {},
): Promise<Claim & { ticket: string }> {
  const ticket = formatTicket(hint, ports.ids.secret());
  const now = ports.clock.now();
  const decide = (current: Task) => {
    if (decideDispatch(current, hint.generation, now) !== 'claim') return undefined;
    const task = { ...current, agent: agent ?? current.agent };
    const minutes = ports.agents.get(task.agent)?.limits.minutes ?? 30;
    const attempt = newAttempt(ports, task, {
      generation: hint.generation,
      hardLimitAt: now + minutes * 60_000,
    });
    const reserved = { ...attempt, ticketHash: hashSecret(ticket) };
    return {
      data: entered(task, 'starting', [...task.attempts, reserved], now, now + ports.policy.startByJobMs),
    };
  };
  const result = await change(ports.store, refs.task(hint.tenant, hint.run, hint.task), decide, known);
  return { ...answer(result, { ...hint, claimId: '' }, now), ticket };
}

/** Job lane, second half: the ticket is burned and `starting → running`. `undefined`: it was not, or no longer, worth anything. */
export async function claimJob(
  ports: ClaimPorts,
  ticket: string,
): Promise<{ fence: Fence; task: Task } | undefined> {
  const hint = parseTicket(ticket);
  if (hint === undefined) return undefined;
  const claimId = ports.ids.secret();
  const now = ports.clock.now();
  const ref = refs.task(hint.tenant, hint.run, hint.task);
  const existing = await ports.store.get(ref);
  if (existing === undefined) return undefined;
  const decide = (task: Task) => {
    const attempt = currentAttempt(task);
    const valid =
      task.state === 'starting' &&
      attempt?.generation === hint.generation &&
      attempt.ticketHash === hashSecret(ticket);
    if (!valid) return undefined;
    const { ticketHash: _burned, ...rest } = attempt;
    const claimed = { ...rest, claimHash: hashSecret(claimId) };
    return { data: entered(task, 'running', withAttempt(task, claimed), now, now + ports.policy.leaseMs) };
  };
  const { data, changed } = await change(ports.store, ref, decide, existing);
  return changed ? { fence: { ...hint, claimId }, task: data } : undefined;
}

/** How long a job that found no room waits at least. */
const NO_CAPACITY_DELAY_MS = 10_000;

/**
 * The provider had no room: as if this dispatch had never been, but not before a little later. The history tells the first
 * wait only, or a long one would fill it.
 */
export async function returnJob(ports: ClaimPorts, hint: TaskHint): Promise<void> {
  const now = ports.clock.now();
  await change(ports.store, refs.task(hint.tenant, hint.run, hint.task), (task) => {
    if (task.state !== 'starting' || currentAttempt(task)?.generation !== hint.generation) return undefined;
    const waiting = entered(task, 'ready', task.attempts.slice(0, -1), now, 0);
    const history = task.history.at(-2)?.state === 'ready' ? task.history.slice(0, -1) : waiting.history;
    return { data: { ...waiting, history, notBefore: now + NO_CAPACITY_DELAY_MS } };
  });
}

/** The answer to a start was lost. Had the job no start, its attempt would be waited for as long as one may take; so its time is cut to `limitMs`. */
export async function doubtJob(ports: ClaimPorts, hint: TaskHint, limitMs: number): Promise<void> {
  const now = ports.clock.now();
  await change(ports.store, refs.task(hint.tenant, hint.run, hint.task), (task) => {
    const isOurs = task.state === 'starting' && currentAttempt(task)?.generation === hint.generation;
    if (!isOurs || task.leaseUntil <= now + limitMs) return undefined;
    return { data: { ...task, leaseUntil: now + limitMs, updatedAt: now } };
  });
}

function entered(
  task: Task,
  state: Task['state'],
  attempts: TaskAttempt[],
  at: number,
  leaseUntil: number,
): Task {
  const by = `${task.id}/${attempts.at(-1)?.generation ?? 0}`;
  const history = appendHistory(task.history, { at, state, by });
  return { ...task, state, attempts, leaseUntil, notBefore: 0, updatedAt: at, history };
}

function newAttempt(
  ports: ClaimPorts,
  task: Task,
  { generation, hardLimitAt }: { generation: number; hardLimitAt: number },
): TaskAttempt {
  return {
    generation,
    agent: task.agent,
    agentHash: ports.agents.get(task.agent)?.contentHash ?? '',
    provider: ports.model.provider,
    startedAt: ports.clock.now(),
    hardLimitAt,
    meter: {
      allowanceMicroUsd: Math.max(0, task.allotmentMicroUsd - spentMicroUsd(task)),
      reservedMicroUsd: 0,
      spentMicroUsd: 0,
      usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      calls: 0,
    },
  };
}

function answer(result: { data: Task; version: string; changed: boolean }, fence: Fence, now: number): Claim {
  const { data: task, version } = result;
  if (result.changed) return { outcome: 'mine', fence, task, version };
  return { outcome: decideDispatch(task, fence.generation, now) === 'ended' ? 'ended' : 'other', task };
}

export function formatTicket({ tenant, run, task, generation }: Omit<TaskHint, 'v'>, secret: string): string {
  return [tenant, run, task, String(generation), secret].join('.');
}

function parseTicket(ticket: string): TaskHint | undefined {
  const [tenant, run, task, generation, secret, ...rest] = ticket.split('.');
  if (!tenant || !run || !task || !secret || rest.length > 0) return undefined;
  return { v: 1, tenant, run, task, generation: Number(generation) };
}
