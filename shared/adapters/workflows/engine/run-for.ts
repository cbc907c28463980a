import { typeError } from '../errors.ts';
import type { Loop } from '../syntax/ast.ts';
import { typeName, type Value } from '../values.ts';
import { valueOf } from './evaluate.ts';
import type { Flow } from './flow.ts';
import { Frame } from './frame.ts';

export async function runFor(loop: Loop, frame: Frame): Promise<Flow> {
  const { interpreter } = frame.fiber.execution;
  const items = valueOf(loop.items, frame);
  let at = 0n;
  for (const item of itemsOf(loop, items instanceof Promise ? await items : items)) {
    const inner = new Frame(frame.fiber, { outer: frame, locals: loop.scope.locals });
    enterIteration(inner, loop, { item, at });
    at += 1n;
    const flow = await interpreter.steps(loop.scope.steps, inner).finally(() => inner.close());
    if (flow?.kind === 'break') return undefined;
    if (flow !== undefined && flow.kind !== 'continue') return flow;
  }
  return undefined;
}

/** The variables of one iteration. */
export function enterIteration(
  { variables, fiber }: Frame,
  { value, index }: Loop,
  { item, at }: { item: Value; at: bigint },
): void {
  variables.set(value, item);
  fiber.changed?.set(value, item);
  if (index !== undefined) variables.set(index, at);
}

/**
 * What a loop goes over: the items of a list, or the numbers of a range with both its ends.
 *
 * @throws TypeError
 */
export function itemsOf({ over }: Loop, items: Value): Iterable<Value> {
  if (over === 'range') return numbersOf(items);
  if (Array.isArray(items)) return items;
  throw typeError(`for takes a list, got ${typeName(items)}; take keys() of a map`);
}

function numbersOf(range: Value): Iterable<Value> {
  const [first, last, ...others] = Array.isArray(range) ? range : [];
  if (!isNumber(first) || !isNumber(last) || others.length > 0)
    throw typeError('range takes a list of two numbers, the first and the last');
  return count(first, last);
}

function isNumber(value: Value | undefined): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

function* count(first: bigint | number, last: bigint | number): Generator<Value> {
  if (typeof first === 'bigint') for (let at = first; at <= last; at += 1n) yield at;
  else for (let at = 0; first + at <= last; at += 1) yield first + at;
}
