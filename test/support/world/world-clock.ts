import type { Clock } from '../../../shared/ports/clock.ts';
import type { HandClock } from '../engine.ts';
import { turn } from './turns.ts';

const START = Date.parse('2026-11-20T10:00:00Z');

/** One time, seen in two ways: who sleeps in `core` moves it; who sleeps in `outside` waits until somebody has. */
export interface WorldClock {
  core: HandClock;
  outside: Clock;
}

interface Timer {
  dueAt: number;
  ring: () => void;
}

export function createWorldClock(): WorldClock {
  let now = START;
  const timers = new Set<Timer>();

  function advance(ms: number): void {
    now += ms;
    for (const timer of timers) {
      if (timer.dueAt > now) continue;
      timers.delete(timer);
      timer.ring();
    }
  }

  function sleepOutside(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer: Timer = { dueAt: now + ms, ring: resolve };
      timers.add(timer);
      signal?.addEventListener('abort', () => {
        timers.delete(timer);
        reject(signal.reason as Error);
      });
      if (ms <= 0) advance(0);
    });
  }

  return {
    core: {
      now: () => now,
      advance,
      sleep: async (ms) => {
        await turn();
        advance(ms);
      },
    },
    outside: { now: () => now, sleep: sleepOutside },
  };
}
