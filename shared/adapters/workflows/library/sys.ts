import { define, type LibraryFunction } from './define.ts';

/** https://cloud.google.com/workflows/docs/reference/stdlib/sys/get_env: unset and without a default it is null. */
export const SYS_FUNCTIONS: readonly LibraryFunction[] = [
  define(
    'sys.get_env',
    [
      ['name', 'string'],
      ['default', 'string', null],
    ],
    ([name, byDefault], environment) => environment.env(name) ?? byDefault,
  ),
];
