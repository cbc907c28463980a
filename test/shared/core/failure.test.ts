import { describe, expect, it } from '@jest/globals';
import {
  classOf,
  type FailureFacts,
  nextStep,
  retryDelayMs,
  SAME_FAILURE,
  signatureOf,
} from '../../../shared/core/failure.ts';
import { MAX_ATTEMPTS } from '../../../shared/core/task.ts';
import { failureCodes, type FailureCode } from '../../../shared/messages/attempt-api.ts';
import { attemptOf, taskOf } from '../../support/records.ts';

const failure = (code: FailureCode, message = 'it broke') => ({ code, message });

const facts: FailureFacts = { agent: undefined, checksPassed: 0, alike: 0, onBudget: 'fail' };
const mayRetry = (task: Parameters<typeof nextStep>[0], failed: ReturnType<typeof failure>): boolean =>
  nextStep(task, failed, facts).step === 'retry';

/** A task whose newest attempt is just failing, after others that failed so. */
const after = (...earlier: ReturnType<typeof failure>[]) =>
  taskOf({
    maxAttempts: 10,
    attempts: [
      ...earlier.map((each, index) =>
        attemptOf({ generation: index + 1, exit: { outcome: 'failed', signature: signatureOf(each) } }),
      ),
      attemptOf({ generation: earlier.length + 1 }),
    ],
  });

describe('a failed attempt', () => {
  it('is of a class for every code', () => {
    for (const code of failureCodes) expect(['transient', 'system', 'user']).toContain(classOf(code));
  });

  it('has the same signature when only numbers and hashes differ', () => {
    expect(signatureOf(failure('checks_red', '3 of 12 failed at 1c9e2ab77'))).toBe(
      signatureOf(failure('checks_red', '4 of 13 failed at 99e2ab77f')),
    );
    expect(signatureOf(failure('checks_red', 'a failed'))).not.toBe(
      signatureOf(failure('checks_red', 'b failed')),
    );
    expect(signatureOf(failure('checks_red'))).not.toBe(signatureOf(failure('network')));
  });

  it('is not tried again when what was asked is at fault', () => {
    for (const code of [
      'model_refused',
      'budget',
      'conflict',
      'invalid_input',
      'forbidden',
      'cancelled',
    ] as const) {
      expect(mayRetry(after(), failure(code))).toBe(false);
    }
  });

  it('is tried again when it may pass, up to the attempts of the task', () => {
    expect(mayRetry(after(), failure('network'))).toBe(true);
    expect(
      mayRetry({ ...after(failure('network'), failure('network')), maxAttempts: 3 }, failure('network')),
    ).toBe(false);
    expect(mayRetry(after(...Array.from({ length: 5 }, () => failure('lost'))), failure('lost'))).toBe(true);
  });

  it('is not tried a third time when the same thing went wrong twice in a row', () => {
    const same = failure('checks_red', '1 failed');
    expect(mayRetry(after(), same)).toBe(true);
    expect(mayRetry(after(same), same)).toBe(false);
    expect(mayRetry(after(same, failure('checks_red', 'another')), same)).toBe(true);
  });

  it('is not tried again when enough tasks of the run failed the same way, and says so', () => {
    const others = SAME_FAILURE.tasksOfRun - 1;
    const step = (alike: number, code: FailureCode = 'empty_output') =>
      nextStep(after(), failure(code), { ...facts, alike });
    expect(step(others - 1)).toEqual({ step: 'retry' });
    expect(step(others)).toEqual({
      step: 'end',
      because: 'the same failure came in 4 tasks of this run without progress',
    });
    expect(step(others, 'network')).toEqual({ step: 'retry' });
  });

  it('is tried again when a check passed that had not passed before', () => {
    const red = failure('checks_red', '1 failed');
    const once = attemptOf({ exit: { outcome: 'failed', signature: signatureOf(red), checksPassed: 1 } });
    const task = taskOf({ maxAttempts: 10, attempts: [once, attemptOf({ generation: 2 })] });
    expect(nextStep(task, red, { ...facts, checksPassed: 2, alike: 9 })).toEqual({ step: 'retry' });
    expect(nextStep(task, red, { ...facts, checksPassed: 1 })).toEqual({
      step: 'end',
      because: 'the same failure came 2 times in a row without progress',
    });
  });

  it('for want of money waits for a person where the tenant wants to be asked, also as the last attempt', () => {
    const task = { ...after(), maxAttempts: 1 };
    expect(nextStep(task, failure('budget'), { ...facts, onBudget: 'ask' })).toEqual({ step: 'ask' });
    expect(nextStep(task, failure('budget'), facts)).toEqual({ step: 'end' });
    const used = after(...Array.from({ length: MAX_ATTEMPTS - 1 }, () => failure('network')));
    expect(nextStep(used, failure('budget'), { ...facts, onBudget: 'ask' })).toEqual({ step: 'end' });
  });

  it('of an integration goes back to the owner instead of being repeated', () => {
    const integration = { ...after(), kind: 'integrate' as const };
    expect(mayRetry(integration, failure('checks_red'))).toBe(false);
    expect(mayRetry(integration, failure('network'))).toBe(true);
  });
});

describe('the delay before a retry', () => {
  const policy = { retryBaseMs: 1_000, retryCapMs: 10_000 };

  it('doubles its range from one failure to the next, up to the cap', () => {
    expect([1, 2, 3, 4, 5, 9].map((failures) => retryDelayMs({ failures }, 0.999_999, policy))).toEqual([
      999, 1_999, 3_999, 7_999, 9_999, 9_999,
    ]);
  });

  it('is anything down to nothing, so that many do not come back at once', () => {
    expect(retryDelayMs({ failures: 3 }, 0, policy)).toBe(0);
    expect(retryDelayMs({ failures: 3 }, 0.5, policy)).toBe(2_000);
  });

  it('is never shorter than the other side asked for, up to an hour', () => {
    expect(retryDelayMs({ failures: 1, retryAfterMs: 30_000 }, 0.5, policy)).toBe(30_000);
    expect(retryDelayMs({ failures: 1, retryAfterMs: 10 }, 0.5, policy)).toBe(500);
    expect(retryDelayMs({ failures: 1, retryAfterMs: 1e12 }, 0.5, policy)).toBe(3_600_000);
  });
});
