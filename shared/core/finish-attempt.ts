import type { AttemptFailure, AttemptResult } from '../messages/attempt-api.ts';
import type { Versioned } from '../ports/store.ts';
import { change } from './change.ts';
import { classOf, mayRetry, retryDelayMs, signatureOf } from './failure.ts';
import { endedAttempt, type Fence, heldAttempt, withAttempt } from './fence.ts';
import { appendHistory } from './history.ts';
import { type Ports, publish } from './ports.ts';
import { blobKeys, refs } from './refs.ts';
import { endOrder, type Task, type TaskAttempt, type TaskResult } from './task.ts';

type FinishPorts = Pick<Ports, 'store' | 'queue' | 'blobs' | 'clock' | 'ids' | 'policy'>;

/** A change set that `propose` has checked and stored for this attempt. */
export type ProposedChangeSet = NonNullable<TaskResult['changeSet']>;

/**
 * Stores the result in one compare-and-set, then publishes `task-finished`. Repeating it publishes again and changes nothing.
 * `stale`: another generation or claim holds the task now, and nothing of this attempt counts any more.
 */
export async function finishAttempt(
  ports: FinishPorts,
  fence: Fence,
  result: AttemptResult,
  options: { known?: Versioned<Task>; changeSet?: ProposedChangeSet } = {},
): Promise<'stored' | 'stale'> {
  const { tenant, run, task: id, generation } = fence;
  const ref = refs.task(tenant, run, id);
  const current = options.known ?? (await ports.store.get(ref));
  if (current === undefined) return 'stale';
  // Nobody but the holder writes below its key, not even somebody who guesses at a claim.
  const holds = heldAttempt(current.data, fence) !== undefined;
  const stored =
    holds && result.outcome === 'succeeded'
      ? await storeResult(ports, fence, result, options.changeSet)
      : emptyResult;
  const now = ports.clock.now();
  const fraction = ports.ids.fraction();
  const decide = (task: Task) => {
    const attempt = heldAttempt(task, fence);
    if (attempt === undefined) return undefined;
    if (result.outcome === 'failed')
      return { data: failed(task, attempt, result.failure, { now, fraction, ports }) };
    return { data: succeeded(task, attempt, stored, now) };
  };
  const { data: task, changed } = await change(ports.store, ref, decide, current);
  if (!changed && endedAttempt(task, fence) === undefined) return 'stale';
  await publish(ports, 'task-finished', { v: 1, tenant, run, task: id, generation });
  return 'stored';
}

const emptyResult: TaskResult = { summary: '', checks: [], filesRead: 0 };

/** Large text is a blob, stored before the record that names it. */
async function storeResult(
  ports: FinishPorts,
  fence: Fence,
  result: Extract<AttemptResult, { outcome: 'succeeded' }>,
  changeSet: ProposedChangeSet | undefined,
): Promise<TaskResult> {
  const { summary, output, review, checks, filesRead } = result;
  const outputKey = blobKeys.output(fence.tenant, fence.run, fence.task, fence.generation);
  if (output !== undefined) await ports.blobs.put(outputKey, output, { contentType: 'text/plain' });
  return {
    summary,
    checks,
    filesRead,
    ...(output === undefined ? {} : { outputKey }),
    ...(changeSet === undefined ? {} : { changeSet }),
    ...(review === undefined ? {} : { review }),
  };
}

function succeeded(task: Task, attempt: TaskAttempt, result: TaskResult, now: number): Task {
  const ended: TaskAttempt = { ...settledMeter(attempt), endedAt: now, exit: { outcome: 'succeeded' } };
  return {
    ...entered(task, 'succeeded', withAttempt(task, ended), now),
    settled: true,
    live: false,
    endedAs: endOrder(task.id, now),
    result,
  };
}

interface FailureContext {
  now: number;
  fraction: number;
  ports: Pick<Ports, 'policy'>;
}

/** The task after a failed attempt: waiting for its next one, or failed. */
export function failed(
  task: Task,
  attempt: TaskAttempt,
  failure: AttemptFailure,
  context: FailureContext,
): Task {
  const { now, fraction, ports } = context;
  const exit: NonNullable<TaskAttempt['exit']> = {
    outcome: failure.code === 'lost' ? 'lost' : failure.code === 'cancelled' ? 'cancelled' : 'failed',
    code: failure.code,
    class: classOf(failure.code),
    signature: signatureOf(failure),
    message: failure.message,
    ...(failure.task === undefined ? {} : { task: failure.task }),
  };
  const attempts = withAttempt(task, { ...settledMeter(attempt), endedAt: now, exit });
  const note = `${failure.code}: ${failure.message}`.slice(0, 300);
  if (mayRetry(task, failure)) {
    const delay = retryDelayMs(attempts.length, fraction, ports.policy);
    return { ...entered(task, 'pending', attempts, now, note), notBefore: now + delay };
  }
  const state = failure.code === 'cancelled' ? 'cancelled' : 'failed';
  return {
    ...entered(task, state, attempts, now, note),
    live: false,
    settled: task.optional,
    endedAs: endOrder(task.id, now),
  };
}

/** A task that is taken out of a run before its own end. What it was in the middle of is charged and loses its fence. */
export function withdrawn(task: Task, { at, by, note }: { at: number; by: string; note: string }): Task {
  const open = task.attempts.at(-1);
  const exit = { outcome: 'cancelled', code: 'cancelled', class: 'user', message: note } as const;
  const attempts =
    open === undefined || open.exit !== undefined
      ? task.attempts
      : withAttempt(task, { ...settledMeter(open), endedAt: at, exit });
  const history = appendHistory(task.history, { at, state: 'cancelled', by, note });
  return {
    ...task,
    state: 'cancelled',
    attempts,
    live: false,
    leaseUntil: 0,
    endedAs: endOrder(task.id, at),
    updatedAt: at,
    history,
  };
}

/** A reservation that nobody settled any more is charged: the call may have been answered. */
function settledMeter(attempt: TaskAttempt): TaskAttempt {
  const { reservedMicroUsd, spentMicroUsd, ...rest } = attempt.meter;
  const meter = { ...rest, reservedMicroUsd: 0, spentMicroUsd: spentMicroUsd + reservedMicroUsd };
  return { ...attempt, meter };
}

function entered(task: Task, state: Task['state'], attempts: TaskAttempt[], at: number, note?: string): Task {
  const by = `${task.id}/${attempts.at(-1)?.generation ?? 0}`;
  const history = appendHistory(task.history, { at, state, by, ...(note === undefined ? {} : { note }) });
  return { ...task, state, attempts, leaseUntil: 0, updatedAt: at, history };
}
