import { type AttemptFailure, MAX_SUMMARY_CHARS } from '../messages/attempt-api.ts';
import { classOf, type FailureFacts, nextStep, type NextStep, retryDelayMs, signatureOf } from './failure.ts';
import { withAttempt } from './fence.ts';
import { fitEnd, messageBytes } from './fit-end.ts';
import { appendHistory } from './history.ts';
import { cutText } from './intake/sanitise-text.ts';
import type { Ports } from './ports.ts';
import type { Task, TaskAttempt, TaskResult } from './task.ts';

/** The task after an attempt that did what was asked. */
export function succeeded(task: Task, attempt: TaskAttempt, result: TaskResult, now: number): Task {
  const ended: TaskAttempt = { ...settledMeter(attempt), endedAt: now, exit: { outcome: 'succeeded' } };
  const { signature: _overcome, ...rest } = task;
  return fitEnd({
    ...entered(rest, 'succeeded', withAttempt(task, ended), now),
    settled: true,
    live: false,
    result,
  });
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
  const exit = exitOf(failure, next, { checksPassed, maxBytes: messageBytes(task) });
  const attempts = withAttempt(task, { ...settledMeter(attempt), endedAt: now, exit });
  const because = next.step === 'end' && next.because !== undefined ? `${next.because}: ` : '';
  const note = cutText(`${because}${failure.code}: ${failure.message}`, MAX_NOTE, MAX_NOTE_BYTES);
  const enter = (state: Task['state']): Task =>
    fitEnd({ ...entered(task, state, attempts, now, note), signature: signatureOf(failure) });
  if (next.step === 'ask') return enter('blocked');
  if (next.step === 'end') {
    const state = failure.code === 'cancelled' ? 'cancelled' : 'failed';
    return { ...enter(state), live: false, settled: task.optional };
  }
  const waiting = { failures: attempts.length, retryAfterMs: failure.retryAfterMs };
  return { ...enter('pending'), notBefore: now + retryDelayMs(waiting, fraction, ports.policy) };
}

const MAX_NOTE = 300;
const MAX_NOTE_BYTES = 2 * MAX_NOTE;

function exitOf(
  failure: AttemptFailure,
  next: NextStep,
  { checksPassed, maxBytes }: { checksPassed: number; maxBytes: number },
): NonNullable<TaskAttempt['exit']> {
  const { code, message, task } = failure;
  return {
    outcome: code === 'lost' ? 'lost' : code === 'cancelled' ? 'cancelled' : 'failed',
    code,
    class: classOf(code),
    signature: signatureOf(failure),
    message: bounded(message, maxBytes, next.step === 'end' ? next.because : undefined),
    ...(task === undefined ? {} : { task }),
    ...(checksPassed === 0 ? {} : { checksPassed }),
    ...(next.step === 'retry' && next.remedy !== undefined ? { remedy: next.remedy } : {}),
  };
}

/** The reason stands last, whatever has to give way for it. */
function bounded(message: string, maxBytes: number, because: string | undefined): string {
  const reason = because === undefined ? '' : `\n${because}; no further attempt is made`;
  return cutText(message, MAX_SUMMARY_CHARS - reason.length, maxBytes) + reason;
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
  return fitEnd({
    ...task,
    state: 'cancelled',
    attempts,
    live: false,
    leaseUntil: 0,
    updatedAt: at,
    history,
  });
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
