import { CALLS_ON_CLUSTER } from './calls-on-cluster.ts';
import { CALLS_ON_LOCAL } from './calls-on-local.ts';

/** A kind of place where a system runs. */
export type Place = 'local' | 'cluster';

/** Calls by process and name, and how often one run makes each: about, for timers make a run's calls differ from another's. */
export type CallsOfARun = Record<string, Record<string, number>>;

export const callsOfARun: Record<Place, CallsOfARun> = { local: CALLS_ON_LOCAL, cluster: CALLS_ON_CLUSTER };

/** The port that a call belongs to; requests over HTTP and programs count as one each. */
export function portOfCall(call: string): string {
  return /^[A-Z]+ \//.test(call) ? 'http' : (call.split(/[. ]/)[0] ?? '');
}
