import type { RunnerClock } from './clock.ts';
import { createTimerQueue } from './timer-queue.ts';

/** What a timer of Node can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time: one timer of Node for all that wait, set to the earliest. */
export function createTimerWheel({ now = Date.now }: { now?: () => number } = {}): RunnerClock {
  const queue = createTimerQueue();
  let timer: NodeJS.Timeout | undefined;
  let setFor: number | undefined;

  function arm(): void {
    const next = queue.next();
    if (next === setFor) return;
    clearTimeout(timer);
    setFor = next;
    if (next !== undefined) timer = setTimeout(ring, Math.min(Math.max(next - now(), 0), MAX_TIMER_MS));
  }

  function ring(): void {
    setFor = undefined;
    for (let work = queue.take(now()); work !== undefined; work = queue.take(now())) work();
    arm();
  }

  return {
    now,
    at(due, work) {
      const cancel = queue.add(due, work);
      arm();
      return () => {
        cancel();
        arm();
      };
    },
  };
}
