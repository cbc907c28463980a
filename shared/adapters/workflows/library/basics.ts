import { typeError, valueError } from '../errors.ts';
import { operandName } from '../expressions/operators.ts';
import { isInteger64, isMap, numberText, typeName, type Value } from '../values.ts';
import { define, type LibraryFunction } from './define.ts';

const INTEGER = /^[+-]?\d+$/;
const DOUBLE = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * The functions without a module (https://cloud.google.com/workflows/docs/reference/stdlib/expression-helpers).
 * All arguments are evaluated first, those of `default` and `if` too.
 */
export const BASIC_FUNCTIONS: readonly LibraryFunction[] = [
  define('double', [['x', 'any']], ([value]) => toDouble(value)),
  define('int', [['x', 'any']], ([value]) => toInteger(value)),
  define('string', [['x', 'any']], ([value]) => toText(value)),
  define('keys', [['map', 'map']], ([map]) => [...map.keys()]),
  define('len', [['value', 'any']], ([value]) => length(value)),
  define(
    'default',
    [
      ['val', 'any'],
      ['defaultVal', 'any'],
    ],
    ([value, byDefault]) => value ?? byDefault,
  ),
  define(
    'if',
    [
      ['condition', 'boolean'],
      ['ifTrue', 'any'],
      ['ifFalse', 'any'],
    ],
    ([holds, yes, no]) => (holds ? yes : no),
  ),
  define('get_type', [['value', 'any']], ([value]) => typeName(value)),
];

function toDouble(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') throw unsupported('double', value);
  if (!DOUBLE.test(value)) throw valueError(`could not convert string to double: ${JSON.stringify(value)}`);
  return Number(value);
}

/** A double is cut off towards zero. */
function toInteger(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return integerOf(value);
  if (typeof value !== 'string') throw unsupported('int', value);
  const integer = INTEGER.test(value) ? BigInt(value.replace('+', '')) : undefined;
  if (integer !== undefined && isInteger64(integer)) return integer;
  throw valueError(`could not convert string to integer: ${JSON.stringify(value)}`);
}

/** The whole part of a double. @throws ValueError when 64 bits do not hold it */
export function integerOf(value: number): bigint {
  const integer = Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  if (integer !== undefined && isInteger64(integer)) return integer;
  throw valueError(`${value} does not fit in a 64-bit integer`);
}

function toText(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint' || typeof value === 'number') return numberText(value);
  throw unsupported('string', value);
}

/** Of a string, its characters: code points, not UTF-16 units. */
function length(value: Value): bigint {
  if (typeof value === 'string') return BigInt(Array.from(value).length);
  if (Array.isArray(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(value.size);
  throw unsupported('len', value);
}

function unsupported(name: string, value: Value): Error {
  return typeError(`unsupported operand type for ${name}(): '${operandName(value)}'`);
}
