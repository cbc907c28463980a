import type { Log, LogFields } from '../ports/log.ts';
import { messageOf } from './work/attempt-failures.ts';

/** What is said of a piece of work that failed: whose it was, what did not happen, and what to do next. */
export interface Trouble {
  of: LogFields;
  what: string;
  next: string;
}

/** Pieces of work of which none keeps another from being done. */
export interface Apart {
  /** What those threw that failed so far. */
  readonly errors: unknown[];
  /** Answers what the work did. What it throws is logged as an error and kept; then there is no answer. */
  run<T>(trouble: Trouble, work: () => Promise<T>): Promise<T | undefined>;
}

export function createApart(log: Pick<Log, 'error'>): Apart {
  const errors: unknown[] = [];
  return {
    errors,
    async run({ of, what, next }, work) {
      try {
        return await work();
      } catch (error) {
        errors.push(error);
        log.error(`${what}: ${messageOf(error)}; ${next}`, of);
        return undefined;
      }
    },
  };
}
