import { typeError } from '../errors.ts';
import { isMap, typeName, type Value, type ValueMap } from '../values.ts';
import { define, type LibraryFunction } from './define.ts';

/** https://cloud.google.com/workflows/docs/reference/stdlib/map/get and its neighbours; no argument is changed. */
export const MAP_FUNCTIONS: readonly LibraryFunction[] = [
  define(
    'map.get',
    [
      ['map', 'any'],
      ['keys', 'any'],
    ],
    ([map, keys]) => pathOf(keys).reduce(child, map),
  ),
  define(
    'map.delete',
    [
      ['map', 'map'],
      ['key', 'string'],
    ],
    ([map, key]) => new Map([...map].filter(([name]) => name !== key)),
  ),
  define(
    'map.merge',
    [
      ['first', 'map'],
      ['second', 'map'],
    ],
    ([first, second]) => new Map([...first, ...second]),
  ),
  define(
    'map.merge_nested',
    [
      ['first', 'map'],
      ['second', 'map'],
    ],
    ([first, second]) => mergeNested(first, second),
  ),
];

function pathOf(keys: Value): string[] {
  const path = Array.isArray(keys) ? keys : [keys];
  const wrong = path.find((key) => typeof key !== 'string');
  if (wrong !== undefined)
    throw typeError(`map.get takes a string or a list of strings, got ${typeName(wrong)}`);
  return path as string[];
}

/** Null where there is no such key, or nothing that could have one. */
function child(parent: Value, key: string): Value {
  return isMap(parent) ? (parent.get(key) ?? null) : null;
}

function mergeNested(first: ValueMap, second: ValueMap): ValueMap {
  const merged = new Map(first);
  for (const [key, value] of second) {
    const before = merged.get(key);
    merged.set(key, isMap(before) && isMap(value) ? mergeNested(before, value) : value);
  }
  return merged;
}
