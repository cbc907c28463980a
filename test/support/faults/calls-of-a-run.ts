import { CALLS_ON_CLUSTER, DRIVEN_ON_CLUSTER } from './calls-on-cluster.ts';
import { CALLS_ON_LOCAL, DRIVEN_ON_LOCAL } from './calls-on-local.ts';

/** A kind of place where a system runs. */
export type Place = 'local' | 'cluster';

/** Who asks for a run's stages: the platform itself, or a workflow. */
export type Driver = 'direct' | 'requirement';

/** Calls by process and name, and how often one run makes each: about, for timers make a run's calls differ from another's. */
export type CallsOfARun = Record<string, Record<string, number>>;

/** By place and driver. */
export const callsOfARun: Record<Place, Record<Driver, CallsOfARun>> = {
  local: { direct: CALLS_ON_LOCAL, requirement: alsoCalling(CALLS_ON_LOCAL, DRIVEN_ON_LOCAL) },
  cluster: { direct: CALLS_ON_CLUSTER, requirement: alsoCalling(CALLS_ON_CLUSTER, DRIVEN_ON_CLUSTER) },
};

/** The same calls, and in each process those that it makes besides. */
function alsoCalling(calls: CallsOfARun, more: CallsOfARun): CallsOfARun {
  const processes = new Set([...Object.keys(calls), ...Object.keys(more)]);
  return Object.fromEntries([...processes].map((name) => [name, { ...calls[name], ...more[name] }]));
}

/** The port that a call belongs to; requests over HTTP and programs count as one each. */
export function portOfCall(call: string): string {
  return /^[A-Z]+ \//.test(call) ? 'http' : (call.split(/[. ]/)[0] ?? '');
}
