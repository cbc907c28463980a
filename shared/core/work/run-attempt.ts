import type { AttemptResultInput } from '../../messages/attempt-api.ts';
import type { LifecycleStage } from '../../messages/transcript-line.ts';
import type { Attempt } from '../../ports/attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { endFailure, messageOf, platformFailure } from './attempt-failures.ts';
import { createStage, type Stage } from './lifecycle.ts';
import type { Redact } from './redact-line.ts';
import { renewLease } from './renewal.ts';
import type { Steering } from './steering.ts';
import { createTranscript, type Transcript } from './transcript.ts';

/** What the work of an attempt has at hand. */
export interface WorkContext {
  attempt: Attempt;
  clock: Clock;
  steering: Steering;
  transcript: Transcript;
  stage: Stage;
}

export interface AttemptRun {
  attempt: Attempt;
  clock: Clock;
  redact: Redact;
  steering: Steering;
  /** Does the stages between `initialize_agent` and `cleanup_resources`. */
  work(context: WorkContext): Promise<AttemptResultInput>;
  /** Removes what the work made on this machine, however it ended. */
  cleanUp?(): Promise<void>;
  /** For the process log. */
  onStage?: (name: LifecycleStage, ms: number) => void;
}

/**
 * Everything around the work of one attempt: lease, hard limit, transcript, failure class, clean-up. The caller finishes with what it answers.
 * `stopped`: the claim is gone or the run is over; nothing may be stored any more.
 */
export async function runAttempt(run: AttemptRun): Promise<AttemptResultInput | 'stopped'> {
  const { attempt, clock, steering } = run;
  const over = new AbortController();
  const transcript = createTranscript(run);
  const stage = createStage(transcript, clock, run.onStage);
  await stage('initialize_agent', () => introduce(attempt, transcript));
  const renewal = renewLease({
    attempt,
    clock,
    steering,
    everyMs: attempt.brief.limits.renewEveryMs,
    signal: over.signal,
  });
  try {
    const result = await endOf(run, { attempt, clock, steering, transcript, stage });
    return await closeTranscript(transcript, result);
  } finally {
    over.abort();
    steering.close();
    await renewal;
  }
}

function introduce({ brief }: Attempt, transcript: Transcript): void {
  transcript.write({
    kind: 'note',
    text: `Attempt ${brief.generation} of task ${brief.task} by ${brief.agent}.`,
  });
}

async function endOf(run: AttemptRun, context: WorkContext): Promise<AttemptResultInput | 'stopped'> {
  try {
    return await run.work(context);
  } catch (error) {
    return resultOfError(run.steering, error);
  } finally {
    await context.stage('cleanup_resources', async () => {
      await run.cleanUp?.().catch((error: unknown) => {
        context.transcript.write({ kind: 'note', text: `Cleaning up failed: ${messageOf(error)}` });
      });
    });
  }
}

function resultOfError(steering: Steering, error: unknown): AttemptResultInput | 'stopped' {
  if (steering.ended === 'stopped' || isStale(error)) return 'stopped';
  const failure = steering.ended === undefined ? platformFailure(error) : endFailure(steering.ended);
  return { outcome: 'failed', failure };
}

/** A result is worth more than the end of its transcript: that the log cannot be stored does not fail an attempt, a lost claim does. */
async function closeTranscript(
  transcript: Transcript,
  result: AttemptResultInput | 'stopped',
): Promise<AttemptResultInput | 'stopped'> {
  try {
    await transcript.close();
    return result;
  } catch (error) {
    return isStale(error) ? 'stopped' : result;
  }
}

function isStale(error: unknown): boolean {
  return error instanceof PenstockError && error.code === 'stale';
}
