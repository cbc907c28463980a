import { keyError, recursionError, typeError } from '../errors.ts';
import { findFunction } from '../library/functions.ts';
import { findSuspending } from '../library/suspending.ts';
import type { Arguments as WrittenArguments, Routine, StepBody } from '../syntax/ast.ts';
import type { Parameter, Value, ValueMap } from '../values.ts';
import { callConnector } from './call-connector.ts';
import { callSuspending } from './call-suspending.ts';
import { valueOf } from './evaluate.ts';
import type { Fiber } from './fiber.ts';
import { Frame } from './frame.ts';
import { RUN_LIMITS } from './run-limits.ts';

type Call = Extract<StepBody, { kind: 'call' }>;

/** Arguments that have their values. */
export type Arguments =
  | { readonly kind: 'positional'; readonly values: Value[] }
  | { readonly kind: 'named'; readonly values: ValueMap };

export async function runCall({ name, args, result }: Call, frame: Frame): Promise<void> {
  const value = await callFunction(name, await evaluated(args, frame), frame.fiber);
  if (result !== undefined) frame.set(result.name, value);
}

async function evaluated(args: WrittenArguments, frame: Frame): Promise<Arguments> {
  if (args.kind === 'positional') {
    const values: Value[] = [];
    for (const item of args.items) values.push(await valueOf(item, frame));
    return { kind: 'positional', values };
  }
  const values: ValueMap = new Map();
  for (const entry of args.entries) values.set(entry.name, await valueOf(entry.value, frame));
  return { kind: 'named', values };
}

export async function callFunction(name: string, args: Arguments, fiber: Fiber): Promise<Value> {
  const { workflow, services } = fiber.execution;
  const routine = workflow.routines.get(name);
  if (routine !== undefined) return await callRoutine(routine, named(routine.parameters, args), fiber);
  const known = findFunction(name);
  if (known !== undefined) {
    const env = (variable: string): string | undefined => fiber.execution.env(variable);
    return known.evaluate(placed(known.parameters, args), { env });
  }
  const suspending = findSuspending(name);
  if (suspending !== undefined) return await callSuspending(name, named(suspending.parameters, args), fiber);
  const connector = services.connectors.get(name);
  if (connector === undefined) throw keyError(name);
  return await callConnector(connector, named(connector.parameters, args), fiber);
}

/** By name, with the defaults of those that were not passed. */
function named(parameters: readonly Parameter[], args: Arguments): ValueMap {
  const values: ValueMap =
    args.kind === 'named'
      ? new Map(args.values)
      : new Map(args.values.map((value, at) => [parameters[at]?.name ?? String(at), value]));
  for (const parameter of parameters) {
    if (values.has(parameter.name)) continue;
    if (parameter.default === undefined) throw typeError(`the argument ${parameter.name} is missing`);
    values.set(parameter.name, parameter.default);
  }
  return values;
}

function placed(parameters: readonly Parameter[], args: Arguments): Value[] {
  if (args.kind === 'positional') return args.values;
  const values = named(parameters, args);
  return parameters.map(({ name }) => values.get(name) ?? null);
}

/** Runs a routine with its own variables; its value is what it returns, or null. */
export async function callRoutine(routine: Routine, values: ValueMap, fiber: Fiber): Promise<Value> {
  const { execution, places } = fiber;
  if (places.length >= RUN_LIMITS.callDepth)
    throw recursionError(`calls go more than ${RUN_LIMITS.callDepth} deep`);
  const frame = new Frame(fiber, { locals: routine.scope.locals });
  for (const [name, value] of values) frame.set(name, value);
  places.push({ routine, step: undefined });
  try {
    const flow = await execution.interpreter.steps(routine.scope.steps, frame);
    return flow?.kind === 'return' ? flow.value : null;
  } finally {
    places.pop();
    frame.close();
  }
}
