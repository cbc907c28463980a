import type { Value } from '../values.ts';

/** How steps were left, other than at their end. */
export type Flow =
  | { readonly kind: 'jump'; readonly to: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'end' }
  | { readonly kind: 'return'; readonly value: Value }
  | undefined;

export function flowOf(next: string): Flow {
  return next === 'end' || next === 'break' || next === 'continue'
    ? { kind: next }
    : { kind: 'jump', to: next };
}
