import type { RunnerClock } from './clock.ts';
import { createTimerQueue } from './timer-queue.ts';

export interface VirtualClock extends Required<RunnerClock> {
  /** Moves on by so much, doing what is due on the way. It does not wait for requests under way: their deadlines may be due. */
  advance(ms: number): Promise<void>;
  /** Stops moving on by itself, for a wait that something outside is to end; `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** Resolves when everything waits, for time or for something outside. */
  settled(): Promise<void>;
}

export interface VirtualClockOptions {
  /** @default 2026-01-01 */
  startMs?: number;
  /** Whether it moves on to the next timer as soon as everything waits. @default true */
  isAutomatic?: boolean;
}

const START_MS = Date.UTC(2026, 0, 1);
/** Turns of the event loop without anything happening after which nothing is expected to happen any more. */
const QUIET_TURNS = 2;
const MAX_SPINS = 50;

/** A clock that takes no real time: a sleep of a year is over as soon as nothing else is to be done. */
export function createVirtualClock({
  startMs = START_MS,
  isAutomatic = true,
}: VirtualClockOptions = {}): VirtualClock {
  const queue = createTimerQueue();
  let now = startMs;
  let busy = 0;
  let isPaused = !isAutomatic;
  let isWatching = false;

  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(resolve);
    });

  const nap = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, 1);
    });

  async function settled(): Promise<void> {
    let spins = 0;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = busy === 0 ? quiet + 1 : 0) {
      // What takes long is somebody else's answer: there is no use in asking for it all the time.
      await (busy === 0 || spins < MAX_SPINS ? turn() : nap());
      spins += 1;
    }
  }

  /** Lets what was begun go as far as it goes by itself. */
  async function pass(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; turns += 1) await turn();
  }

  function step(until: number): boolean {
    const next = queue.next();
    if (next === undefined || next > until) return false;
    now = Math.max(now, next);
    queue.take(now)?.();
    return true;
  }

  /** Moves on while there is something to wait for, and nothing else. */
  function watch(): void {
    if (isWatching || isPaused) return;
    isWatching = true;
    void (async () => {
      for (;;) {
        await settled();
        if (isPaused || !step(Infinity)) break;
      }
      isWatching = false;
    })();
  }

  return {
    now: () => now,
    at(due, work) {
      const cancel = queue.add(due, work);
      // What is due already waits for no time to pass.
      if (due <= now) setImmediate(() => step(now));
      else watch();
      return cancel;
    },
    busy() {
      busy += 1;
      let isOver = false;
      return () => {
        if (!isOver) busy -= 1;
        isOver = true;
      };
    },
    async advance(ms) {
      const until = now + ms;
      await pass();
      while (step(until)) await pass();
      now = Math.max(now, until);
    },
    pause: () => void (isPaused = true),
    resume() {
      isPaused = false;
      watch();
    },
    settled,
  };
}
