import type { Bill } from '../../support/count-ports.ts';

/** What one function's process has done since it began. */
export interface FunctionBill extends Bill {
  /** Messages that were worked to their end. */
  handled: number;
  /** Commits that were applied, each of one or more writes. */
  commits: number;
  /** Commits that were sent to Firestore, seen where they leave the process: whoever repeats one, it counts. */
  commitRequests: number;
}

/** What the bench may ask a function's process, over its socket. */
export interface FunctionAnswers {
  bill: FunctionBill;
  /** Bytes. */
  memory: { rss: number };
  /** Begins a CPU profile. */
  profile: null;
  /** Ends it, into the file that is named. */
  saveProfile: null;
}
export type FunctionQuestion = keyof FunctionAnswers;

/** Folder of the sockets, one per function; a function's own environment names it. */
export const SOCKETS_VARIABLE = 'PENSTOCK_BENCH_SOCKETS';

export function socketOf(folder: string, name: string): string {
  return `${folder}/${name}.sock`;
}
