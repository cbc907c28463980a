import { checked } from '../expressions/operators.ts';
import { integerOf } from './basics.ts';
import { define, type LibraryFunction } from './define.ts';

/** https://cloud.google.com/workflows/docs/reference/stdlib/overview, module math. An answer keeps its argument's type. */
export const MATH_FUNCTIONS: readonly LibraryFunction[] = [
  define('math.abs', [['x', 'number']], ([x]) =>
    typeof x === 'number' ? Math.abs(x) : checked(x < 0n ? -x : x),
  ),
  define('math.floor', [['x', 'number']], ([x]) => (typeof x === 'bigint' ? x : integerOf(Math.floor(x)))),
  define(
    'math.max',
    [
      ['x', 'number'],
      ['y', 'number'],
    ],
    ([x, y]) => (y > x ? y : x),
  ),
  define(
    'math.min',
    [
      ['x', 'number'],
      ['y', 'number'],
    ],
    ([x, y]) => (y < x ? y : x),
  ),
];
