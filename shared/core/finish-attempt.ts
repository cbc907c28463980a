import { type AttemptFailure, type AttemptResult, MAX_SUMMARY_CHARS } from '../messages/attempt-api.ts';
import type { Versioned } from '../ports/store.ts';
import { change } from './change.ts';
import { tellCircuits } from './circuits/tell-circuits.ts';
import { attemptEndFields } from './end-fields.ts';
import {
  classOf,
  type FailureFacts,
  nextStep,
  type NextStep,
  retryDelayMs,
  SAME_FAILURE,
  signatureOf,
} from './failure.ts';
import { endedAttempt, type Fence, heldAttempt, withAttempt } from './fence.ts';
import { appendHistory } from './history.ts';
import type { Ports } from './ports.ts';
import { blobKeys, refs, tasksOf } from './refs.ts';
import { announceEnd } from './release-dependants.ts';
import { currentAttempt, type Task, type TaskAttempt, type TaskResult } from './task.ts';

type FinishPorts = Pick<
  Ports,
  | 'store'
  | 'queue'
  | 'blobs'
  | 'clock'
  | 'ids'
  | 'log'
  | 'policy'
  | 'agents'
  | 'settings'
  | 'circuits'
  | 'trace'
>;

/** A change set that `propose` has checked and stored for this attempt. */
export type ProposedChangeSet = NonNullable<TaskResult['changeSet']>;

/**
 * Stores the result in one compare-and-set, then announces the end. Repeating it publishes again and changes nothing.
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
  const facts = holds && result.outcome === 'failed' ? await factsOf(ports, current.data, result) : {};
  const now = ports.clock.now();
  const fraction = ports.ids.fraction();
  const decide = (task: Task) => {
    const attempt = heldAttempt(task, fence);
    if (attempt === undefined) return undefined;
    if (result.outcome === 'failed')
      return { data: failed(task, attempt, result.failure, { now, fraction, ports, ...facts }) };
    return { data: succeeded(task, attempt, stored, now) };
  };
  const { data: task, changed } = await change(ports.store, ref, decide, current);
  if (!changed && endedAttempt(task, fence) === undefined) return 'stale';
  if (changed) {
    ports.log.info(
      `attempt ${id}/${generation} ${currentAttempt(task)?.exit?.outcome}`,
      attemptEndFields(task),
    );
    await tellCircuits(ports, task);
  }
  await announceEnd(ports, task, generation);
  return 'stored';
}

/** What a failure is judged by beside its task; looked up only where it may matter. */
async function factsOf(
  ports: FinishPorts,
  task: Task,
  { failure, checks }: Extract<AttemptResult, { outcome: 'failed' }>,
): Promise<Partial<FailureFacts>> {
  const checksPassed = new Set(checks.flatMap(({ passed, command }) => (passed ? [command] : []))).size;
  if (failure.code === 'budget')
    return { checksPassed, onBudget: (await ports.settings(task.tenant)).onBudget };
  if (classOf(failure.code) !== 'system') return { checksPassed };
  const signature = signatureOf(failure);
  const failedAlike = await ports.store.count({
    from: { collection: tasksOf(task.tenant, task.run) },
    where: [{ field: 'signature', op: '==', value: signature }],
    upTo: SAME_FAILURE.tasksOfRun,
  });
  return { checksPassed, alike: failedAlike - (task.signature === signature ? 1 : 0) };
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
  const { signature: _overcome, ...rest } = task;
  return {
    ...entered(rest, 'succeeded', withAttempt(task, ended), now),
    settled: true,
    live: false,
    result,
  };
}

interface FailureContext extends Partial<Omit<FailureFacts, 'agent'>> {
  now: number;
  fraction: number;
  ports: Pick<Ports, 'policy' | 'agents'>;
}

/** The task after a failed attempt: waiting for its next one or for a person, or failed. */
export function failed(
  task: Task,
  attempt: TaskAttempt,
  failure: AttemptFailure,
  context: FailureContext,
): Task {
  const { now, fraction, ports, checksPassed = 0, alike = 0, onBudget = 'fail' } = context;
  const agent = ports.agents.get(attempt.agent);
  const next = nextStep(task, failure, { agent, checksPassed, alike, onBudget });
  const exit = exitOf(failure, next, checksPassed);
  const attempts = withAttempt(task, { ...settledMeter(attempt), endedAt: now, exit });
  const because = next.step === 'end' && next.because !== undefined ? `${next.because}: ` : '';
  const note = `${because}${failure.code}: ${failure.message}`.slice(0, 300);
  const enter = (state: Task['state']): Task => ({
    ...entered(task, state, attempts, now, note),
    signature: signatureOf(failure),
  });
  if (next.step === 'ask') return enter('blocked');
  if (next.step === 'end') {
    const state = failure.code === 'cancelled' ? 'cancelled' : 'failed';
    return { ...enter(state), live: false, settled: task.optional };
  }
  const waiting = { failures: attempts.length, retryAfterMs: failure.retryAfterMs };
  return { ...enter('pending'), notBefore: now + retryDelayMs(waiting, fraction, ports.policy) };
}

function exitOf(
  failure: AttemptFailure,
  next: NextStep,
  checksPassed: number,
): NonNullable<TaskAttempt['exit']> {
  const { code, message, task } = failure;
  return {
    outcome: code === 'lost' ? 'lost' : code === 'cancelled' ? 'cancelled' : 'failed',
    code,
    class: classOf(code),
    signature: signatureOf(failure),
    message: next.step === 'end' && next.because !== undefined ? stopped(message, next.because) : message,
    ...(task === undefined ? {} : { task }),
    ...(checksPassed === 0 ? {} : { checksPassed }),
    ...(next.step === 'retry' && next.remedy !== undefined ? { remedy: next.remedy } : {}),
  };
}

/** The reason stands last, whatever has to give way for it. */
function stopped(message: string, because: string): string {
  const reason = `\n${because}; no further attempt is made`;
  return message.slice(0, MAX_SUMMARY_CHARS - reason.length) + reason;
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
