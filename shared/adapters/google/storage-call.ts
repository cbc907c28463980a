import { setTimeout as pause } from 'node:timers/promises';
import { PenstockError } from '../../ports/penstock-error.ts';
import { callGoogle } from './google-call.ts';
import { httpStatus } from './google-http-error.ts';

/** How the calls to one bucket are made. */
export interface StorageCalls {
  bucket: string;
  /** Of one call that moves no content. */
  timeoutMs: number;
  /** From here on an upload that breaks goes on where it broke; below, one request is all. */
  resumableFromBytes: number;
  /** Before the second try; each further pause is twice as long. */
  pauseMs: number;
}

const MAX_TRIES = 4;
const ROLE = 'roles/storage.objectUser';
/** Of content the deadline grows by so much: a slower connection is a broken one. */
const MIN_BYTES_PER_MS = 250;

/** A deadline that sending or receiving so much content has. */
export function deadlineFor({ timeoutMs }: StorageCalls, bytes: number): number {
  return timeoutMs + Math.ceil(bytes / MIN_BYTES_PER_MS);
}

/** One call with its deadline, its errors translated. `bytes` is how much content it sends. */
export function callStorage<T>(
  calls: StorageCalls,
  { what, bytes = 0 }: { what: string; bytes?: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { bucket } = calls;
  const ifMissing = `PENSTOCK_BUCKET has to name the bucket that Terraform made; ${bucket} is none`;
  const call = {
    what: `${what} in bucket ${bucket}`,
    role: ROLE,
    timeoutMs: deadlineFor(calls, bytes),
    ifMissing,
  };
  return callGoogle(call, work);
}

/** Again after a passing fault: only for what may be done twice. */
export async function repeatedly<T>(calls: StorageCalls, work: () => Promise<T>): Promise<T> {
  const patience = newPatience(calls, calls.timeoutMs);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isPassing = error instanceof PenstockError && error.retry === 'later';
      if (!isPassing || !(await patience.lasts())) throw error;
    }
  }
}

export interface Patience {
  /** Pauses before another try; `false` where there is to be none. */
  lasts(): Promise<boolean>;
}

/** A few tries, and none is begun when so much time has gone by. */
export function newPatience({ pauseMs }: StorageCalls, forMs: number): Patience {
  const startedAt = Date.now();
  let tries = 0;
  return {
    async lasts() {
      tries += 1;
      if (tries === MAX_TRIES || Date.now() - startedAt >= forMs) return false;
      // With jitter, so that what failed together does not come back together.
      await pause(pauseMs * 2 ** (tries - 1) * (0.5 + Math.random()));
      return true;
    },
  };
}

/** The object is not there; where the bucket is missing, the answer has the same status. */
export function isMissingObject(error: unknown): boolean {
  if (httpStatus(error) !== 404) return false;
  return !/bucket does not exist/i.test(String((error as { message?: unknown }).message));
}
