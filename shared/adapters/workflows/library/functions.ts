import { BASE64_FUNCTIONS } from './base64.ts';
import { BASIC_FUNCTIONS } from './basics.ts';
import type { LibraryFunction } from './define.ts';
import { HASH_FUNCTIONS } from './hash.ts';
import { JSON_FUNCTIONS } from './json.ts';
import { LIST_FUNCTIONS } from './list.ts';
import { MAP_FUNCTIONS } from './map.ts';
import { MATH_FUNCTIONS } from './math.ts';
import { RETRY_FUNCTIONS } from './retry.ts';
import { SYS_FUNCTIONS } from './sys.ts';
import { TEXT_FUNCTIONS } from './text.ts';
import { TIME_FUNCTIONS } from './time.ts';

/** Every function of the standard library that answers at once. What is not in here or in `suspending.ts` is refused. */
export const FUNCTIONS: ReadonlyMap<string, LibraryFunction> = new Map(
  [
    BASIC_FUNCTIONS,
    BASE64_FUNCTIONS,
    HASH_FUNCTIONS,
    JSON_FUNCTIONS,
    LIST_FUNCTIONS,
    MAP_FUNCTIONS,
    MATH_FUNCTIONS,
    RETRY_FUNCTIONS,
    SYS_FUNCTIONS,
    TEXT_FUNCTIONS,
    TIME_FUNCTIONS,
  ]
    .flat()
    .map((entry) => [entry.name, entry]),
);

export function findFunction(name: string): LibraryFunction | undefined {
  return FUNCTIONS.get(name);
}
