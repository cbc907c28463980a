import { describe, expect, it } from '@jest/globals';
import { classOf, mayRetry, retryDelayMs, signatureOf } from '../../../shared/core/failure.ts';
import { failureCodes, type FailureCode } from '../../../shared/messages/attempt-api.ts';
import { attemptOf, taskOf } from '../../support/records.ts';

const failure = (code: FailureCode, message = 'it broke') => ({ code, message });

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

  it('of an integration goes back to the owner instead of being repeated', () => {
    const integration = { ...after(), kind: 'integrate' as const };
    expect(mayRetry(integration, failure('checks_red'))).toBe(false);
    expect(mayRetry(integration, failure('network'))).toBe(true);
  });
});

describe('the delay before a retry', () => {
  const policy = { retryBaseMs: 1_000, retryCapMs: 10_000 };

  it('doubles its range from one failure to the next, up to the cap', () => {
    expect([1, 2, 3, 4, 5, 9].map((failures) => retryDelayMs(failures, 0.999_999, policy))).toEqual([
      999, 1_999, 3_999, 7_999, 9_999, 9_999,
    ]);
  });

  it('is anything down to nothing, so that many do not come back at once', () => {
    expect(retryDelayMs(3, 0, policy)).toBe(0);
    expect(retryDelayMs(3, 0.5, policy)).toBe(2_000);
  });
});
