import type { Repeat } from '../adapters/google/repeat-request.ts';
import type { Log } from '../ports/log.ts';

/** Each request to Google that is sent again is a line of the log: by these lines the repetitions of a whole system are counted. */
export function logRepeat(log: Log): (repeat: Repeat) => void {
  return ({ what, code }) => log.warn('request sent again', { what, code });
}
