import type { Clock } from '../../../shared/ports/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on and wakes what was due, in order. */
  advance(ms: number): Promise<void>;
}

/** Time that stands still until a test moves it. */
export function createManualClock(startAt = 1_800_000_000_000): ManualClock {
  let time = startAt;
  let sleepers: { at: number; wake: () => void }[] = [];
  return {
    now: () => time,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(abortReason(signal));
        const sleeper = { at: time + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(abortReason(signal));
        });
      });
    },
    async advance(ms) {
      const end = time + ms;
      for (;;) {
        await settle();
        const next = sleepers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        sleepers = sleepers.filter((other) => other !== next);
        time = Math.max(time, next.at);
        next.wake();
      }
      time = end;
      await settle();
    },
  };
}

/** Lets everything run that is waiting for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
