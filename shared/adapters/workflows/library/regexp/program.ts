import { valueError } from '../../errors.ts';
import { parseRegexp } from './parse.ts';
import type { Assertion, RegexpNode, Test } from './tree.ts';

/** One state of the automaton; targets are indexes of other states. */
export type Instruction =
  | { readonly kind: 'one'; readonly test: Test; readonly next: number }
  | { readonly kind: 'assert'; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: 'fork'; readonly targets: readonly number[] }
  | { readonly kind: 'match' };

export interface Program {
  readonly states: readonly Instruction[];
  readonly start: number;
}

/** Bounds the work of a match to this times the length of the text. */
const MAX_STATES = 10_000;

/** @throws ValueError when RE2 would not take the pattern, or it repeats its parts too often */
export function compileRegexp(pattern: string): Program {
  const states: Instruction[] = [{ kind: 'match' }];
  return { states, start: emit(parseRegexp(pattern), 0, states) };
}

/** Adds the states of a node, which go on to state `next`; answers with the first of them. */
function emit(node: RegexpNode, next: number, states: Instruction[]): number {
  switch (node.kind) {
    case 'empty':
      return next;
    case 'one':
      return add({ kind: 'one', test: node.test, next }, states);
    case 'assert':
      return add({ kind: 'assert', assertion: node.assertion, next }, states);
    case 'sequence':
      return node.items.reduceRight((after, item) => emit(item, after, states), next);
    case 'choice':
      return add({ kind: 'fork', targets: node.items.map((item) => emit(item, next, states)) }, states);
    default:
      return emitRepeat(node, next, states);
  }
}

function emitRepeat(
  { item, least, most }: RegexpNode & { kind: 'repeat' },
  next: number,
  states: Instruction[],
): number {
  let first = next;
  if (most === Infinity) {
    const targets: number[] = [next];
    first = add({ kind: 'fork', targets }, states);
    targets.push(emit(item, first, states));
  } else {
    for (let count = least; count < most; count += 1) {
      first = add({ kind: 'fork', targets: [next, emit(item, first, states)] }, states);
    }
  }
  for (let count = 0; count < least; count += 1) first = emit(item, first, states);
  return first;
}

function add(state: Instruction, states: Instruction[]): number {
  if (states.length >= MAX_STATES) throw valueError('regular expression: it is too large');
  return states.push(state) - 1;
}
