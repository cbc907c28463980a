import { hash } from 'node:crypto';
import { currentAttempt, type Task, type TaskAttempt } from './task.ts';

/** What an executor holds: nobody else can write for this attempt, and it cannot write for another. */
export interface Fence {
  tenant: string;
  run: string;
  task: string;
  generation: number;
  claimId: string;
}

export function hashSecret(secret: string): string {
  return hash('sha256', secret);
}

/** The attempt that the fence still holds, or `undefined` when it is stale. */
export function heldAttempt(task: Task, fence: Fence): TaskAttempt | undefined {
  const attempt = currentAttempt(task);
  const holds =
    task.state === 'running' &&
    attempt?.generation === fence.generation &&
    attempt.claimHash === hashSecret(fence.claimId);
  return holds ? attempt : undefined;
}

/** The attempt that this fence ended itself, when a finish is repeated. */
export function endedAttempt(task: Task, fence: Fence): TaskAttempt | undefined {
  const attempt = task.attempts.find(({ generation }) => generation === fence.generation);
  const own = attempt?.claimHash === hashSecret(fence.claimId) && attempt.exit !== undefined;
  return own && attempt.exit?.outcome !== 'lost' ? attempt : undefined;
}

/** A task with its newest attempt replaced. */
export function withAttempt(task: Task, attempt: TaskAttempt): TaskAttempt[] {
  return [...task.attempts.slice(0, -1), attempt];
}

/** Token of a job: names its attempt, carries the claim. A secret. */
export function formatToken({ tenant, run, task, generation, claimId }: Fence): string {
  return [tenant, run, task, String(generation), claimId].join('.');
}

export function parseToken(token: string): Fence | undefined {
  const [tenant, run, task, generation, claimId, ...rest] = token.split('.');
  const number = Number(generation);
  if (!tenant || !run || !task || !claimId || rest.length > 0 || !Number.isInteger(number)) return undefined;
  return { tenant, run, task, generation: number, claimId };
}
