import { describeRaised, type Raised } from '../errors.ts';
import { isMap, toJson, type Value } from '../values.ts';
import type { Fiber } from './fiber.ts';
import type { ExecutionError, StackElement } from './journal.ts';

const places = new WeakMap<Raised, readonly StackElement[]>();

/** Remembers where an error was raised: the first place that sees it is the place. */
export function locate(raised: Raised, fiber: Fiber): void {
  if (!places.has(raised)) places.set(raised, stackOf(fiber));
}

function stackOf({ places: stack }: Fiber): StackElement[] {
  return stack
    .flatMap(({ routine, step }): StackElement[] => {
      if (step === undefined) return [];
      const { line, column } = step.position;
      return [{ routine: routine.name, step: step.name, line, column }];
    })
    .toReversed();
}

/** As the service tells of an error that nothing caught. */
export function errorOf(raised: Raised): ExecutionError {
  const stack = places.get(raised) ?? [];
  return { context: contextOf(raised, stack), payload: payloadOf(raised.value), stack };
}

export function contextOf(raised: Raised, stack: readonly StackElement[] = places.get(raised) ?? []): string {
  const where = stack.map(
    ({ step, routine, line }) => `in step "${step}", routine "${routine}", line: ${line}`,
  );
  return [messageOf(raised.value), ...where].join('\n');
}

function messageOf(value: Value): string {
  const isSystem =
    isMap(value) && typeof value.get('message') === 'string' && Array.isArray(value.get('tags'));
  return isSystem ? describeRaised(value) : `RuntimeError: ${payloadOf(value)}`;
}

/** Bytes and functions, which JSON has not, are named. */
function payloadOf(value: Value): string {
  try {
    return toJson(value);
  } catch {
    return JSON.stringify(describeRaised(value));
  }
}
