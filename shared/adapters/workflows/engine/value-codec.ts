import { isCallable, isMap, type Value } from '../values.ts';

/** A value as JSON that loses nothing: integers, bytes and the order of keys come back as they were. */
export type Encoded =
  | null
  | boolean
  | number
  | string
  | Encoded[]
  | { [kind in 'i' | 'd' | 'b']?: string }
  | { m: [string, Encoded][] };

export function encodeValue(value: Value): Encoded {
  if (typeof value === 'bigint') return { i: value.toString() };
  if (typeof value === 'number') return encodeDouble(value);
  if (Array.isArray(value)) return value.map(encodeValue);
  if (isMap(value)) return { m: [...value].map(([key, item]) => [key, encodeValue(item)]) };
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('base64') };
  // No call answers with a function, and none is an argument from outside.
  return isCallable(value) ? null : value;
}

/** JSON has neither infinities nor minus nothing. */
function encodeDouble(value: number): Encoded {
  if (Object.is(value, -0)) return { d: '-0' };
  return Number.isFinite(value) ? value : { d: String(value) };
}

export function decodeValue(encoded: Encoded): Value {
  if (typeof encoded !== 'object' || encoded === null) return encoded;
  if (Array.isArray(encoded)) return encoded.map(decodeValue);
  if ('m' in encoded) return new Map(encoded.m.map(([key, item]) => [key, decodeValue(item)]));
  if (encoded.i !== undefined) return BigInt(encoded.i);
  if (encoded.b !== undefined) return new Uint8Array(Buffer.from(encoded.b, 'base64'));
  return Number(encoded.d);
}
