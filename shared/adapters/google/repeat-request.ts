import { setTimeout as sleep } from 'node:timers/promises';
import { grpcCode } from './google-call.ts';

/** UNKNOWN, ABORTED, INTERNAL, UNAVAILABLE: worth another try at once. */
const PASSING_CODES = [2, 10, 13, 14];
/** Before each further try, with a jitter of half as much; a server that restarts is waited for, a longer outage is not. */
const DELAYS_MS = [50, 200, 800];

/** A request that is sent again. */
export interface Repeat {
  what: string;
  /** gRPC status of the try before. */
  code: number;
}

export interface RepeatOptions {
  what: string;
  /** Nothing is sent any more once it is aborted. */
  signal: AbortSignal;
  onRepeat: (repeat: Repeat) => void;
}

/** Does the work again where a passing fault ended it. The work must bear that. */
export async function repeatRequest<T>(
  { what, signal, onRepeat }: RepeatOptions,
  work: () => Promise<T>,
): Promise<T> {
  for (const delayMs of DELAYS_MS) {
    try {
      return await work();
    } catch (error) {
      const code = grpcCode(error) ?? -1;
      if (signal.aborted || !PASSING_CODES.includes(code)) throw error;
      await sleep(delayMs * (0.75 + Math.random() / 2), undefined, { signal });
      onRepeat({ what, code });
    }
  }
  return work();
}
