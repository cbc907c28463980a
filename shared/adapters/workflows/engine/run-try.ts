import { Raised, typeError } from '../errors.ts';
import type { Except, Retry, StepBody } from '../syntax/ast.ts';
import { isCallable, isMap, typeName, type Value } from '../values.ts';
import { valueOf } from './evaluate.ts';
import type { Flow } from './flow.ts';
import { Frame } from './frame.ts';
import { sleep } from './sleep.ts';

type Try = Extract<StepBody, { kind: 'try' }>;

/** First the retries, then, when they are used up or do not apply, `except`. */
export async function runTry({ body, retry, except }: Try, frame: Frame): Promise<Flow> {
  for (let retried = 0; ; retried += 1) {
    try {
      return await frame.fiber.execution.interpreter.step(body, frame);
    } catch (error) {
      if (!(error instanceof Raised) || error.isFatal) throw error;
      const delay = retry === undefined ? undefined : await delayOf(retry, { error, retried, frame });
      if (delay === undefined) {
        if (except === undefined) throw error;
        return await runExcept(except, error, frame);
      }
      await sleep(frame.fiber, 'retry', delay);
    }
  }
}

async function runExcept({ as, scope }: Except, { value }: Raised, frame: Frame): Promise<Flow> {
  const inner = new Frame(frame.fiber, { outer: frame, locals: scope.locals });
  inner.variables.set(as, value);
  try {
    return await frame.fiber.execution.interpreter.steps(scope.steps, inner);
  } finally {
    inner.close();
  }
}

interface Failed {
  error: Raised;
  retried: number;
  frame: Frame;
}

/** Seconds until the next try; undefined: there is none. */
async function delayOf(retry: Retry, { error, retried, frame }: Failed): Promise<number | undefined> {
  const policy = await valueOf(retry.policy, frame);
  if (!isMap(policy)) throw typeError(`retry takes a policy, got ${typeName(policy)}`);
  const most = numberIn(policy, 'max_retries', 0);
  if (retried >= most || !(await holds(policy.get('predicate') ?? null, error, frame))) return undefined;
  return backoff(policy, retried);
}

async function holds(predicate: Value, { value }: Raised, frame: Frame): Promise<boolean> {
  if (predicate === null) return true;
  if (!isCallable(predicate))
    throw typeError(`the predicate of a retry is a function, got ${typeName(predicate)}`);
  const { evaluate, name } = predicate;
  const { fiber } = frame;
  const answer =
    evaluate === undefined
      ? await fiber.execution.interpreter.call(name, { kind: 'positional', values: [value] }, fiber)
      : evaluate([value]);
  if (typeof answer === 'boolean') return answer;
  throw typeError(`the predicate ${name} answers with a boolean, got ${typeName(answer)}`);
}

/** min(initial_delay × multiplier^n, max_delay) */
export function backoff(policy: Value, retried: number): number {
  const given = isMap(policy) ? policy.get('backoff') : undefined;
  if (!isMap(given)) return 0;
  const delay = numberIn(given, 'initial_delay', 1) * numberIn(given, 'multiplier', 1.25) ** retried;
  return Math.min(delay, numberIn(given, 'max_delay', 60));
}

function numberIn(map: ReadonlyMap<string, Value>, key: string, byDefault: number): number {
  const value = map.get(key) ?? byDefault;
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
  throw typeError(`${key} of a retry takes a number, got ${typeName(value)}`);
}
