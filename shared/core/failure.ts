import { createHash } from 'node:crypto';
import type { Agent } from '../messages/agent-file.ts';
import type { AttemptFailure, FailureCode } from '../messages/attempt-api.ts';
import { remedyFor } from './remedy.ts';
import type { Settings } from './settings.ts';
import { type ErrorClass, MAX_ATTEMPTS, type Remedy, type Task, type TaskAttempt } from './task.ts';

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
export function signatureOf(failure: Pick<AttemptFailure, 'code' | 'message'>): string {
  const shape = failure.message
    .toLowerCase()
    .replaceAll(/[0-9a-f]{7,}|\d+/g, '#')
    .slice(0, 500);
  return createHash('sha256').update(`${failure.code}\n${shape}`).digest('hex').slice(0, 16);
}

/** The same failure without progress, so often in a row in one task or in so many tasks of a run: more attempts would only burn money. */
export const SAME_FAILURE = { inARow: 2, tasksOfRun: 4 } as const;

/** What is known beside the task when its newest attempt fails. */
export interface FailureFacts {
  agent: Pick<Agent, 'tier' | 'resources' | 'tools'> | undefined;
  /** Checks that passed in this attempt. */
  checksPassed: number;
  /** Other tasks of the run whose newest failure has the same signature. */
  alike: number;
  onBudget: Settings['onBudget'];
}

/** `retry`: another attempt, with a remedy where one may help. `ask`: a person decides. `end`: none, and why where that is not the failure itself. */
export type NextStep =
  { step: 'retry'; remedy?: Remedy } | { step: 'ask' } | { step: 'end'; because?: string };

/**
 * What follows a failed attempt (000-14): class, then signature, then another attempt. An integration is never repeated as it
 * is: its conflict or red check goes back to the owner of the change set.
 */
export function nextStep(task: Task, failure: AttemptFailure, facts: FailureFacts): NextStep {
  const { code } = failure;
  const isLast = task.attempts.length >= Math.min(task.maxAttempts, MAX_ATTEMPTS);
  if (code === 'budget')
    return facts.onBudget === 'ask' && task.attempts.length < MAX_ATTEMPTS
      ? { step: 'ask' }
      : { step: 'end' };
  if (isLast || (task.kind === 'integrate' && (code === 'checks_red' || code === 'conflict')))
    return { step: 'end' };
  const remedy = remedyFor(task, failure, facts.agent);
  if (remedy !== undefined) return { step: 'retry', remedy };
  const cls = classOf(code);
  if (cls === 'transient') return { step: 'retry' };
  if (cls === 'user') return { step: 'end' };
  const because = withoutProgress(task, failure, facts);
  return because === undefined ? { step: 'retry' } : { step: 'end', because };
}

/** The breaker by signature, across the attempts of a task and the tasks of a run. A check that passes for the first time is progress. */
function withoutProgress(task: Task, failure: AttemptFailure, facts: FailureFacts): string | undefined {
  const earlier = task.attempts.slice(0, -1).map(({ exit }) => exit);
  if (earlier.length > 0 && facts.checksPassed > mostPassed(earlier)) return undefined;
  const times = 1 + inARow(earlier, signatureOf(failure));
  if (times >= SAME_FAILURE.inARow) return `the same failure came ${times} times in a row without progress`;
  const tasks = 1 + facts.alike;
  if (tasks < SAME_FAILURE.tasksOfRun) return undefined;
  return `the same failure came in ${tasks} tasks of this run without progress`;
}

/** How many of the newest failed alike, down to one that got further than all before it. */
function inARow(ended: TaskAttempt['exit'][], signature: string): number {
  const isAlike = ended.map((exit) => exit?.signature === signature);
  const from = isAlike.lastIndexOf(false) + 1;
  const furthest = ended.findLastIndex(
    (exit, index) => index > 0 && (exit?.checksPassed ?? 0) > mostPassed(ended.slice(0, index)),
  );
  return ended.length - Math.max(from, furthest);
}

function mostPassed(ended: TaskAttempt['exit'][]): number {
  return Math.max(0, ...ended.map((exit) => exit?.checksPassed ?? 0));
}

/** A provider that says when to come again is believed so far. */
const MAX_RETRY_AFTER_MS = 60 * 60_000;

/** Exponential backoff with full jitter, and not before the other side said. `failures` from 1; `fraction` uniform in [0, 1). */
export function retryDelayMs(
  { failures, retryAfterMs = 0 }: { failures: number; retryAfterMs?: number | undefined },
  fraction: number,
  policy: { retryBaseMs: number; retryCapMs: number },
): number {
  const backoff = Math.floor(
    fraction * Math.min(policy.retryCapMs, policy.retryBaseMs * 2 ** (failures - 1)),
  );
  return Math.max(backoff, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
}
