import { numberText, typeName, type Value } from './values.ts';

/** A value where only text can stand, such as a key of a map, a header or a parameter of a URL. */
export function plainText(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'number') return numberText(value);
  return typeof value === 'boolean' ? String(value) : typeName(value);
}
