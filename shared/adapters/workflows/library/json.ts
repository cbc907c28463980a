import { typeError, valueError } from '../errors.ts';
import { fromJson, isMap, toJson, typeName, type Value, type ValueMap } from '../values.ts';
import { define, type LibraryFunction } from './define.ts';

/** https://cloud.google.com/workflows/docs/reference/stdlib/json/decode, `encode` and `encode_to_string`. */
export const JSON_FUNCTIONS: readonly LibraryFunction[] = [
  define('json.decode', [['data', 'any']], ([data]) => fromJson(textOf(data))),
  define(
    'json.encode',
    [
      ['data', 'any'],
      ['indent', 'any', null],
    ],
    ([data, indent]) => new TextEncoder().encode(toJson(data, indentationOf(indent))),
  ),
  define(
    'json.encode_to_string',
    [
      ['data', 'any'],
      ['indent', 'any', null],
    ],
    ([data, indent]) => toJson(data, indentationOf(indent)),
  ),
];

function textOf(data: Value): string {
  if (typeof data === 'string') return data;
  if (!(data instanceof Uint8Array))
    throw typeError(`json.decode takes bytes or a string, got ${typeName(data)}`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    throw valueError('json.decode: the bytes are not UTF-8');
  }
}

const FOUR_SPACES = { prefix: '', indent: '    ' };

/** `true` is the same as an empty map, `false` as nothing. */
function indentationOf(indent: Value): { prefix: string; indent: string } | undefined {
  if (indent === null || indent === false) return undefined;
  if (indent === true) return FOUR_SPACES;
  if (!isMap(indent)) throw typeError(`indent is a boolean or a map, got ${typeName(indent)}`);
  return { prefix: option(indent, 'prefix'), indent: option(indent, 'indent') };
}

function option(indent: ValueMap, key: 'prefix' | 'indent'): string {
  const value = indent.get(key) ?? FOUR_SPACES[key];
  if (typeof value === 'string') return value;
  throw typeError(`indent.${key} is a string, got ${typeName(value)}`);
}
