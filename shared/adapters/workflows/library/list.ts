import { define, type LibraryFunction } from './define.ts';

/** https://cloud.google.com/workflows/docs/reference/stdlib/list/concat and `prepend`: both answer with a copy. */
export const LIST_FUNCTIONS: readonly LibraryFunction[] = [
  define(
    'list.concat',
    [
      ['objs', 'list'],
      ['val', 'any'],
    ],
    ([list, element]) => [...list, element],
  ),
  define(
    'list.prepend',
    [
      ['objs', 'list'],
      ['val', 'any'],
    ],
    ([list, element]) => [element, ...list],
  ),
];
