import { parseTraceparent } from '../ports/traceparent.ts';
import type { Ports } from './ports.ts';

/** A record that keeps the trace it was accepted in; absent in records of an earlier version. */
export interface Traced {
  traceparent?: string | undefined;
}

/**
 * The traceparent of what follows from a record: what is under way here, where that is of the record's own trace. Else it is
 * work on many runs, or on another one, such as a sweep or a freed place: then the record's trace goes on, and no two are mixed.
 */
export function traceOf({ trace }: Pick<Ports, 'trace'>, { traceparent: own }: Traced): string | undefined {
  const current = trace.current();
  if (own === undefined || current === undefined) return own ?? current;
  return parseTraceparent(current)?.traceId === parseTraceparent(own)?.traceId ? current : own;
}
