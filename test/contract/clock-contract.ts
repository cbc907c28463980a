import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../shared/ports/clock.ts';

/** A timer may fire up to a millisecond before the wall clock shows it. */
const EARLY_MS = 2;
const SHORT_MS = 40;
/** Longer than a 32-bit timer holds. */
const MONTH_MS = 31 * 86_400_000;

/** What every clock that really waits does. */
export function clockContract(name: string, make: () => Clock): void {
  describe(`${name} as a clock`, () => {
    const clock = make();

    it('tells the time in milliseconds since the epoch', () => {
      const before = Date.now();
      const now = clock.now();
      expect(Number.isInteger(now)).toBe(true);
      expect(now).toBeGreaterThanOrEqual(before);
      expect(now).toBeLessThanOrEqual(Date.now());
    });

    it('sleeps as long as it was asked to', async () => {
      const start = clock.now();
      await expect(clock.sleep(SHORT_MS)).resolves.toBeUndefined();
      expect(clock.now() - start).toBeGreaterThanOrEqual(SHORT_MS - EARLY_MS);
    });

    it('is awake at once after no time', async () => {
      const start = clock.now();
      await clock.sleep(0);
      expect(clock.now() - start).toBeLessThan(1_000);
    });

    it('wakes with the reason of an abort', async () => {
      const controller = new AbortController();
      const reason = new Error('the host stops');
      const slept = clock.sleep(60_000, controller.signal);
      controller.abort(reason);
      await expect(slept).rejects.toBe(reason);
    });

    it('does not fall asleep when the abort was before', async () => {
      const reason = { any: 'value' };
      await expect(clock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    it('wakes from a sleep of a month by an abort only', async () => {
      const reason = new Error('enough');
      const controller = new AbortController();
      const slept = clock.sleep(MONTH_MS, controller.signal).then(() => 'woke by itself');
      const first = await Promise.race([slept, clock.sleep(SHORT_MS).then(() => 'asleep')]);
      controller.abort(reason);
      await expect(slept).rejects.toBe(reason);
      expect(first).toBe('asleep');
    });

    it('is not woken by an abort after its end', async () => {
      const controller = new AbortController();
      await clock.sleep(1, controller.signal);
      controller.abort(new Error('late'));
      await expect(clock.sleep(1)).resolves.toBeUndefined();
    });
  });
}
