import {
  indexError,
  keyError,
  resourceLimitError,
  typeError,
  valueError,
  zeroDivisionError,
} from '../errors.ts';
import { equals, isInteger64, isMap, numberText, typeName, type TypeName, type Value } from '../values.ts';
import type { BinaryOperator } from './tree.ts';

/** What one string may hold ("unicode <= 256 KB length" in Google's syntax cheat sheet). */
export const MAX_STRING_LENGTH = 256 * 1024;

/** The names the service's own messages use: `unsupported operand type for string(): 'dict'`. */
const OPERAND_NAMES: Readonly<Record<TypeName, string>> = {
  boolean: 'bool',
  bytes: 'bytes',
  double: 'float',
  function: 'function',
  integer: 'int',
  list: 'list',
  map: 'dict',
  null: 'NoneType',
  string: 'str',
};

export function operandName(value: Value): string {
  return OPERAND_NAMES[typeName(value)];
}

/** Binary operators that evaluate both sides; `and` and `or` do not. */
export const BINARY: Readonly<Record<Exclude<BinaryOperator, 'and' | 'or'>, (a: Value, b: Value) => Value>> =
  {
    '+': add,
    '-': (a, b) => arithmetic(['-', a, b], { ofIntegers: (x, y) => x - y, ofDoubles: (x, y) => x - y }),
    '*': (a, b) => arithmetic(['*', a, b], { ofIntegers: (x, y) => x * y, ofDoubles: (x, y) => x * y }),
    '/': divide,
    '//': (a, b) =>
      arithmetic(['//', a, nonZero(b)], { ofIntegers: floorDivide, ofDoubles: (x, y) => Math.floor(x / y) }),
    '%': (a, b) => arithmetic(['%', a, nonZero(b)], { ofIntegers: remainder, ofDoubles: doubleRemainder }),
    '<': ordered('<', (x, y) => x < y),
    '<=': ordered('<=', (x, y) => x <= y),
    '>': ordered('>', (x, y) => x > y),
    '>=': ordered('>=', (x, y) => x >= y),
    '==': equals,
    '!=': (a, b) => !equals(a, b),
    in: contains,
  };

interface Arithmetic {
  readonly ofIntegers: (a: bigint, b: bigint) => bigint;
  readonly ofDoubles: (a: number, b: number) => number;
}

function arithmetic([operator, a, b]: [string, Value, Value], { ofIntegers, ofDoubles }: Arithmetic): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return checked(ofIntegers(a, b));
  if (isNumber(a) && isNumber(b)) return ofDoubles(Number(a), Number(b));
  throw unsupported(operator, a, b);
}

/** INT+INT=INT; a DOUBLE makes it DOUBLE; a STRING with INT, DOUBLE, BOOL or STRING makes it STRING; else an error. */
function add(a: Value, b: Value): Value {
  if (typeof a === 'string' || typeof b === 'string') {
    const text = textOf(a, a, b) + textOf(b, a, b);
    if (text.length > MAX_STRING_LENGTH) throw resourceLimitError('a string grew beyond 256 KB');
    return text;
  }
  return arithmetic(['+', a, b], { ofIntegers: (x, y) => x + y, ofDoubles: (x, y) => x + y });
}

function textOf(value: Value, a: Value, b: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (isNumber(value)) return numberText(value);
  throw unsupported('+', a, b);
}

function divide(a: Value, b: Value): Value {
  if (!isNumber(a) || !isNumber(b)) throw unsupported('/', a, b);
  return Number(a) / Number(nonZero(b));
}

/** Rounds down, as in the languages that have `//`; the service's own way with negatives is not documented. */
function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** Belongs to `//`: `a == (a // b) * b + a % b`. */
function remainder(a: bigint, b: bigint): bigint {
  return a - floorDivide(a, b) * b;
}

function doubleRemainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

function nonZero(value: Value): Value {
  if (value === 0n || value === 0) throw zeroDivisionError();
  return value;
}

/** @throws ValueError on overflow of 64 bits */
export function checked(value: bigint): bigint {
  if (isInteger64(value)) return value;
  throw valueError(`integer overflow: ${value} does not fit in 64 bits`);
}

/** Numbers with numbers and strings with strings, the latter by code points. */
function ordered(operator: string, holds: (x: bigint | number, y: bigint | number) => boolean) {
  return (a: Value, b: Value): boolean => {
    if (isNumber(a) && isNumber(b)) return holds(a, b);
    if (typeof a !== 'string' || typeof b !== 'string') throw unsupported(operator, a, b);
    return holds(Buffer.compare(Buffer.from(a), Buffer.from(b)), 0);
  };
}

function contains(item: Value, container: Value): boolean {
  if (Array.isArray(container)) return container.some((one) => equals(one, item));
  if (isMap(container)) return typeof item === 'string' && container.has(item);
  throw typeError(`The argument of 'in' must be a dict or an array; got: ${typeName(container)}`);
}

/** `object[key]` and `object.key`. A negative index is out of range: the service's behaviour is not documented. */
export function lookUp(object: Value, key: Value): Value {
  if (Array.isArray(object)) return element(object, key);
  if (!isMap(object)) throw typeError(`a value of type ${typeName(object)} has no elements to look up`);
  if (typeof key !== 'string') throw typeError(`the key of a map must be a string, got ${typeName(key)}`);
  const value = object.get(key);
  if (value === undefined) throw keyError(key);
  return value;
}

function element(list: Value[], key: Value): Value {
  if (typeof key !== 'bigint')
    throw typeError(`the index of a list must be an integer, got ${typeName(key)}`);
  const value = key < 0n ? undefined : list[Number(key)];
  if (value === undefined) throw indexError(`index ${key} is out of range of a list of ${list.length}`);
  return value;
}

export function not(value: Value): boolean {
  return !condition('not', value);
}

/** An operand of `and`, `or` and `not`. */
export function condition(operator: string, value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw typeError(`unsupported operand type for ${operator}: '${operandName(value)}'`);
}

export function negative(value: Value): Value {
  if (typeof value === 'bigint') return checked(-value);
  if (typeof value === 'number') return -value;
  throw typeError(`unsupported operand type for unary -: '${operandName(value)}'`);
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

function unsupported(operator: string, a: Value, b: Value): Error {
  return typeError(
    `unsupported operand type(s) for ${operator}: '${operandName(a)}' and '${operandName(b)}'`,
  );
}
