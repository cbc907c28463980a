import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

/** What a timer can hold; Node fires a longer one at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    async sleep(ms, signal) {
      try {
        for (let left = ms; left > 0 || left === ms; left -= MAX_TIMER_MS) {
          await wait(Math.min(left, MAX_TIMER_MS), undefined, signal === undefined ? {} : { signal });
        }
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
  };
}
