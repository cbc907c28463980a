import { RUN_LIMITS } from './run-limits.ts';

/** The branches of one execution that may run at once. */
export interface Branches {
  /** Whether there is room for one more; it is taken. */
  take(): boolean;
  /** Takes room even where there is none: of one that ran before, and waited for its own branches. */
  takeBack(): void;
  /** Gives room back, and lets the first that waits look for it. */
  give(): void;
  /** Calls `look` when there is room. */
  whenFree(look: () => void): void;
}

export function createBranches(): Branches {
  const waiting: (() => void)[] = [];
  let free: number = RUN_LIMITS.concurrentBranches;
  return {
    take() {
      if (free <= 0) return false;
      free -= 1;
      return true;
    },
    takeBack: () => void (free -= 1),
    give() {
      free += 1;
      if (free > 0) waiting.shift()?.();
    },
    whenFree: (look) => void waiting.push(look),
  };
}
