import { createHash } from 'node:crypto';
import type { AttemptFailure, FailureCode } from '../messages/attempt-api.ts';
import type { ErrorClass, Task } from './task.ts';

/** 003-79: what went wrong outside and may pass, what is wrong with us or the work, what is wrong with what was asked. */
const classes: Record<FailureCode, ErrorClass> = {
  lost: 'transient',
  timeout: 'transient',
  network: 'transient',
  model_unavailable: 'transient',
  out_of_memory: 'system',
  model_garbage: 'system',
  turn_limit: 'system',
  checks_red: 'system',
  empty_output: 'system',
  invalid_output: 'system',
  rejected_change_set: 'system',
  internal: 'system',
  model_refused: 'user',
  budget: 'user',
  conflict: 'user',
  invalid_input: 'user',
  forbidden: 'user',
  cancelled: 'user',
};

export function classOf(code: FailureCode): ErrorClass {
  return classes[code];
}

/** Same signature: the same thing went wrong again. Numbers, hashes and paths of one run do not count. */
export function signatureOf(failure: AttemptFailure): string {
  const shape = failure.message
    .toLowerCase()
    .replaceAll(/[0-9a-f]{7,}|\d+/g, '#')
    .slice(0, 500);
  return createHash('sha256').update(`${failure.code}\n${shape}`).digest('hex').slice(0, 16);
}

/** The same failure so often in a row is no progress: more attempts would only burn money. */
const SAME_FAILURE_LIMIT = 2;

/**
 * Whether a task whose newest attempt failed gets another. An integration is never repeated as it is:
 * its conflict or red check goes back to the owner of the change set.
 */
export function mayRetry(task: Task, failure: AttemptFailure): boolean {
  const cls = classOf(failure.code);
  if (cls === 'user' || task.attempts.length >= task.maxAttempts) return false;
  if (task.kind === 'integrate' && (failure.code === 'checks_red' || failure.code === 'conflict'))
    return false;
  if (cls === 'transient') return true;
  const signature = signatureOf(failure);
  const same = task.attempts
    .slice(0, -1)
    .toReversed()
    .findIndex((attempt) => attempt.exit?.signature !== signature);
  const inARow = same === -1 ? task.attempts.length - 1 : same;
  return inARow + 1 < SAME_FAILURE_LIMIT;
}

/** Exponential backoff with full jitter. `failures` from 1; `fraction` uniform in [0, 1). */
export function retryDelayMs(
  failures: number,
  fraction: number,
  policy: { retryBaseMs: number; retryCapMs: number },
): number {
  return Math.floor(fraction * Math.min(policy.retryCapMs, policy.retryBaseMs * 2 ** (failures - 1)));
}
