import type { Value } from '../values.ts';
import { RETRY_VALUES } from './retry.ts';

/** Makes the value of a dotted name such as `http.default_retry`; undefined when the library has none of that name. */
export function libraryValue(name: string): (() => Value) | undefined {
  return RETRY_VALUES.get(name);
}
