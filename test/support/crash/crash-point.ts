import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One call of one process, and on which side of it the process is killed. */
export interface CrashPoint {
  /** `host`, or `job` and its attempt, such as `job fix/1`. */
  process: string;
  /** Such as `store.commit` or `POST /internal/attempts/finish`. */
  call: string;
  /** The how manieth call of that name in that process, from 1. */
  nth: number;
  when: 'before' | 'after';
}

/** What a watched process is told through its environment. */
export interface CrashOrders {
  /** Where calls and the crash are noted. */
  folder: string;
  point?: CrashPoint | undefined;
}

export interface RecordedCall {
  process: string;
  call: string;
  nth: number;
}

const CALLS = 'calls.ndjson';
const CRASHED = 'crashed.json';

export const callsFile = (folder: string): string => join(folder, CALLS);
export const crashedFile = (folder: string): string => join(folder, CRASHED);

/** Does a call, notes it, and kills this process where the orders say so. */
export type Counted = <T>(call: string, act: () => T) => T;

/** `crashAt`: counts the calls of this process by name. Without a point it only counts. */
export function crashAt({ folder, point }: CrashOrders, self: string): Counted {
  const log = openSync(callsFile(folder), 'a');
  const counts = new Map<string, number>();
  process.once('exit', () => closeSync(log));

  const reached = (call: string, nth: number, when: CrashPoint['when']): void => {
    if (point?.process !== self || point.call !== call || point.nth !== nth || point.when !== when) return;
    die(folder, point);
  };
  return (call, act) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    appendFileSync(log, `${JSON.stringify({ process: self, call, nth } satisfies RecordedCall)}\n`);
    reached(call, nth, 'before');
    const after = (): void => reached(call, nth, 'after');
    return followed(act, after);
  };
}

/** `after` when the call has its outcome, good or bad, and before its caller hears of it. */
function followed<T>(act: () => T, after: () => void): T {
  const result = act();
  if (result instanceof Promise) return result.finally(after) as T;
  after();
  return result;
}

/** Only the first process that comes here dies: what starts later lives. */
function die(folder: string, point: CrashPoint): void {
  try {
    writeFileSync(crashedFile(folder), JSON.stringify(point), { flag: 'wx' });
  } catch {
    return;
  }
  process.kill(process.pid, 'SIGKILL');
  // A signal to oneself may be a moment under way; nothing more of this process may happen.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
