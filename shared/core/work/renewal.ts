import type { Attempt } from '../../ports/attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { LEASE_INTERVALS, RENEW_RETRY_MS } from './limits.ts';
import type { Steering } from './steering.ts';

export interface RenewalConfig {
  attempt: Pick<Attempt, 'renew'>;
  clock: Clock;
  steering: Steering;
  everyMs: number;
  /** Aborted when the attempt is over. */
  signal: AbortSignal;
}

/**
 * Keeps the lease on a timer of its own, whatever the model and the tools are doing, and hands over what the platform says.
 * A claim that is gone stops the attempt; so does a platform that cannot be reached until the lease must be over.
 */
export async function renewLease({
  attempt,
  clock,
  steering,
  everyMs,
  signal,
}: RenewalConfig): Promise<void> {
  let lastRenewedAt = clock.now();
  let waitMs = everyMs;
  while (await hasSlept(clock, waitMs, signal)) {
    try {
      const { answer, messages, mail = [] } = await attempt.renew();
      steering.addMessages([
        ...messages.map((words) => ({ from: 'person' as const, words })),
        ...mail.map((message) => ({ from: 'agent' as const, message })),
      ]);
      if (answer === 'wrap-up') steering.requestWrapUp();
      if (answer === 'stop') return steering.stop();
      lastRenewedAt = clock.now();
      waitMs = everyMs;
    } catch (error) {
      const isLost = error instanceof PenstockError && error.code === 'stale';
      if (isLost || clock.now() - lastRenewedAt >= everyMs * LEASE_INTERVALS) return steering.stop();
      waitMs = Math.min(RENEW_RETRY_MS, everyMs);
    }
  }
}

async function hasSlept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return !signal.aborted;
  } catch {
    return false;
  }
}
