import { resourceLimitError, valueError } from './errors.ts';

/**
 * A value of the Workflows language. A `bigint` is a 64-bit signed integer and a `number` a double, which the
 * language keeps apart (`1` and `1.0` differ in type, not in `==`). Bytes are a `Uint8Array`.
 */
export type Value = null | boolean | bigint | number | string | Uint8Array | Value[] | ValueMap | Callable;

/** A map of the language. A `Map`, so that `__proto__` and `constructor` are keys like any other. */
export type ValueMap = Map<string, Value>;

/** One parameter by its public name; without a default it must be passed. */
export interface Parameter {
  readonly name: string;
  readonly default?: Value;
}

/** A function as a value: a retry predicate of the library, or a subworkflow named in an expression. */
export interface Callable {
  readonly kind: 'function';
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Only library functions that never suspend have it; a subworkflow is called by the interpreter. */
  readonly evaluate?: (args: Value[]) => Value;
}

export type TypeName =
  'boolean' | 'bytes' | 'double' | 'function' | 'integer' | 'list' | 'map' | 'null' | 'string';

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

export function isMap(value: Value | undefined): value is ValueMap {
  return value instanceof Map;
}

export function isCallable(value: Value | undefined): value is Callable {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** The name `get_type` gives. */
export function typeName(value: Value): TypeName {
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return 'integer';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'map';
  return value instanceof Uint8Array ? 'bytes' : 'function';
}

/** Whether an integer is one of 64 bits. */
export function isInteger64(value: bigint): boolean {
  return value >= LEAST && value <= GREATEST;
}

/** `==` of the language: an integer equals the double of the same number, other types never equal each other. */
export function equals(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof a === 'number') {
    // oxlint-disable-next-line eqeqeq -- JavaScript compares a bigint with a number exactly only by `==`.
    return (typeof b === 'bigint' || typeof b === 'number') && a == b;
  }
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, index) => equals(item, b[index] ?? null))
    );
  }
  if (isMap(a)) return isMap(b) && a.size === b.size && [...a].every(([key, item]) => hasEqual(b, key, item));
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  return isCallable(a) && isCallable(b) && a.name === b.name;
}

function hasEqual(map: ValueMap, key: string, value: Value): boolean {
  const other = map.get(key);
  return other !== undefined && equals(value, other);
}

/** A number as the language writes it: a double always shows that it is one (`1.0`), so that it reads back as one. */
export function numberText(value: number | bigint): string {
  const text = String(value);
  return typeof value === 'number' && Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

/**
 * Reads JSON: a number without fraction and exponent is an integer (a double when 64 bits do not hold it).
 *
 * @throws ValueError when it is not JSON
 */
export function fromJson(text: string): Value {
  try {
    return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as Value;
  } catch (error) {
    throw valueError(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function revive(_key: string, value: unknown, context: { source: string }): Value {
  if (typeof value === 'number') return numberOf(value, context.source);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as Value;
  return new Map(Object.entries(value as Record<string, Value>));
}

function numberOf(value: number, source: string): Value {
  if (!/^-?\d+$/.test(source)) return value;
  const integer = BigInt(source);
  return isInteger64(integer) ? integer : value;
}

/**
 * Writes JSON, map keys in their order. `indent` is the text one level is indented with; without it, one line.
 *
 * @throws ValueError for bytes, functions, infinities and not-a-number, which JSON cannot say
 */
export function toJson(value: Value, indent?: { prefix: string; indent: string }): string {
  try {
    return indent === undefined ? compact(value) : indented(value, indent.prefix, indent.indent);
  } catch (error) {
    if (error instanceof RangeError)
      throw resourceLimitError('a value is nested too deeply or too large for JSON');
    throw error;
  }
}

function compact(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(compact).join(',')}]`;
  if (!isMap(value)) return scalar(value);
  return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}:${compact(item)}`).join(',')}}`;
}

function indented(value: Value, margin: string, indent: string): string {
  const inner = margin + indent;
  if (Array.isArray(value) && value.length > 0) {
    return `[\n${value.map((item) => inner + indented(item, inner, indent)).join(',\n')}\n${margin}]`;
  }
  if (!isMap(value) || value.size === 0) return compact(value);
  const lines = [...value].map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${indented(item, inner, indent)}`,
  );
  return `{\n${lines.join(',\n')}\n${margin}}`;
}

function scalar(value: Value): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && Number.isFinite(value)) return numberText(value);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  throw valueError(`JSON has no ${typeof value === 'number' ? String(value) : typeName(value)}`);
}

/** A value of JavaScript (as parsed from JSON or YAML) as one of the language: whole safe numbers become integers. */
export function fromPlain(plain: unknown): Value {
  if (plain === undefined || plain === null) return null;
  if (typeof plain === 'number') return Number.isSafeInteger(plain) ? BigInt(plain) : plain;
  if (typeof plain === 'string' || typeof plain === 'boolean' || typeof plain === 'bigint') return plain;
  if (plain instanceof Uint8Array || plain instanceof Map) return plain as Value;
  if (Array.isArray(plain)) return plain.map(fromPlain);
  if (typeof plain !== 'object') throw valueError(`a workflow has no value for a ${typeof plain}`);
  const entries = Object.entries(plain).filter(([, item]) => item !== undefined);
  return new Map(entries.map(([key, item]) => [key, fromPlain(item)]));
}

/** A value as JavaScript: maps become objects, integers numbers (their digits as text beyond 2^53), functions names. */
export function toPlain(value: Value): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (Array.isArray(value)) return value.map(toPlain);
  if (isMap(value)) return Object.fromEntries([...value].map(([key, item]) => [key, toPlain(item)]));
  return isCallable(value) ? value.name : value;
}
