import { Raised, resourceLimitError, typeError } from '../errors.ts';
import type { Condition, Step, StepBody, StepList } from '../syntax/ast.ts';
import { typeName, type Value } from '../values.ts';
import { valueOf, withPlace } from './evaluate.ts';
import { type Flow, flowOf } from './flow.ts';
import type { Fiber } from './fiber.ts';
import type { Frame } from './frame.ts';
import { type Arguments, callFunction, runCall } from './run-call.ts';
import { runFor } from './run-for.ts';
import { RUN_LIMITS } from './run-limits.ts';
import { runParallel } from './run-parallel.ts';
import { runTry } from './run-try.ts';
import { locate } from './raised-at.ts';

/** Carries out steps. */
export interface Interpreter {
  steps(list: StepList, frame: Frame): Promise<Flow>;
  step(step: Step, frame: Frame): Promise<Flow>;
  /**
   * Calls a subworkflow, a function or a connector.
   * @throws Raised what it raises
   */
  call(name: string, args: Arguments, fiber: Fiber): Promise<Value>;
}

/** Steps after which other work of the process gets its turn. */
const STEPS_AT_A_TIME = 1_000;

export const interpreter: Interpreter = { steps: runSteps, step: runInner, call: callFunction };

async function runSteps({ steps, indexOf }: StepList, frame: Frame): Promise<Flow> {
  let at = 0;
  for (let step = steps[at]; step !== undefined; step = steps[at]) {
    const flow = await runStep(step, frame);
    if (flow === undefined) at += 1;
    else if (flow.kind === 'jump' && indexOf.has(flow.to)) at = indexOf.get(flow.to) ?? at;
    else return flow;
  }
  return undefined;
}

async function runStep(step: Step, frame: Frame): Promise<Flow> {
  const { fiber } = frame;
  const { execution, places } = fiber;
  await countStep(fiber);
  const place = places.at(-1);
  if (place !== undefined) place.step = step;
  const entry = execution.log.begin(fiber, step);
  try {
    const flow = await runInner(step, frame);
    if (place !== undefined) place.step = step;
    execution.log.end(fiber, entry, 'succeeded');
    return flow;
  } catch (error) {
    if (error instanceof Raised) locate(error, fiber);
    if (place !== undefined) place.step = step;
    execution.log.end(fiber, entry, 'failed');
    throw error;
  }
}

async function countStep({ execution }: Fiber): Promise<void> {
  execution.steps += 1;
  if (execution.steps > RUN_LIMITS.steps) throw resourceLimitError(`more than ${RUN_LIMITS.steps} steps`);
  if (execution.steps % STEPS_AT_A_TIME !== 0) return;
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  // Of one that was cancelled meanwhile nothing runs on.
  if (execution.isOver()) await new Promise<never>(() => undefined);
}

/** A step, or what stands like one under a condition or `try`. */
async function runInner(step: Step, frame: Frame): Promise<Flow> {
  const flow = await runBody(step, frame);
  return flow ?? (step.next === undefined ? undefined : flowOf(step.next.name));
}

async function runBody(step: Step, frame: Frame): Promise<Flow> {
  const { body } = step;
  switch (body.kind) {
    case 'assign':
      await runAssign(body, frame);
      return undefined;
    case 'call':
      await runCall(body, frame);
      return undefined;
    case 'switch':
      return await runSwitch(body.conditions, frame);
    case 'for':
      return await runFor(body.loop, frame);
    case 'parallel':
      await runParallel(body, frame);
      return undefined;
    case 'try':
      return await runTry(body, frame);
    case 'raise':
      throw new Raised(await valueOf(body.value, frame));
    case 'return':
      return { kind: 'return', value: await valueOf(body.value, frame) };
    case 'steps':
      return await runSteps(body.steps, frame);
    default:
      return undefined;
  }
}

type Assign = Extract<StepBody, { kind: 'assign' }>;

/** One assignment is one piece: no branch sees, or writes, a shared variable in the middle of it. */
async function runAssign({ assignments }: Assign, frame: Frame): Promise<void> {
  for (const { target, value } of assignments) {
    const place: Value[] = [];
    for (const key of target.path) {
      const given = valueOf(key, frame);
      place.push(given instanceof Promise ? await given : given);
    }
    const given = valueOf(value, frame);
    const written = given instanceof Promise ? await given : given;
    const { name } = target;
    frame.set(name, place.length === 0 ? written : withPlace(frame.get(name) ?? null, place, written));
  }
}

async function runSwitch(conditions: readonly Condition[], frame: Frame): Promise<Flow> {
  for (const { condition, step } of conditions) {
    const given = valueOf(condition, frame);
    const holds = given instanceof Promise ? await given : given;
    if (typeof holds !== 'boolean') throw typeError(`a condition must be a boolean, got ${typeName(holds)}`);
    if (holds) return await runInner(step, frame);
  }
  return undefined;
}
