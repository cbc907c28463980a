import { typeError, valueError } from '../errors.ts';
import { typeName, type Value } from '../values.ts';

/** A number of seconds, at most so many. */
export function secondsOf(value: Value, name: string, most: number): number {
  if (typeof value !== 'bigint' && typeof value !== 'number')
    throw typeError(`${name} takes a number of seconds, got ${typeName(value)}`);
  const seconds = Number(value);
  if (seconds >= 0 && seconds <= most) return seconds;
  throw valueError(`${name} takes 0 to ${most} seconds, got ${String(value)}`);
}
