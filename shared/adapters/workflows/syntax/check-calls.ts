import { findFunction } from '../library/functions.ts';
import { findSuspending } from '../library/suspending.ts';
import type { Parameter } from '../values.ts';
import type { Position, Routine, Step, StepBody, StepList } from './ast.ts';
import type { Problems } from './problems.ts';
import { expressionsOf } from './template.ts';
import { listsWithin, stepsWithin, templatesOf } from './walk.ts';

/** Something that can be called. */
export interface KnownFunction {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Whether it takes arguments besides its parameters. */
  readonly isOpen?: boolean;
}

export interface Callables {
  readonly routines: ReadonlyMap<string, Routine>;
  readonly connectors: ReadonlyMap<string, KnownFunction>;
}

interface Check extends Callables {
  readonly problems: Problems;
}

/** Parameters that the service has and this runner does not carry out. */
const UNSUPPORTED: Record<string, string> = {
  private_service_name: 'http.',
  ca_certificate: 'http.',
};

/** Reports calls of what there is not, or is not implemented, and arguments that do not fit. */
export function checkCalls({ name, position, scope }: Routine, check: Check): void {
  // An expression would call the library's, and a step the subworkflow.
  if (findFunction(name) !== undefined)
    check.problems.error(
      position,
      `a subworkflow named '${name}' is not implemented: the library has a function of that name`,
    );
  walk(scope.steps, check);
}

function walk({ steps }: StepList, check: Check): void {
  for (const step of steps) walkStep(step, check);
}

function walkStep(step: Step, check: Check): void {
  if (step.body.kind === 'call') checkCall(step.body, check);
  for (const template of templatesOf(step)) {
    for (const { expression, place } of expressionsOf(template)) {
      for (const { name, offset, argCount } of expression.calls)
        checkInExpression(name, argCount, { at: place(offset), check });
      for (const { message, offset } of expression.unverified)
        check.problems.unverified(place(offset), message);
    }
  }
  for (const inner of stepsWithin(step)) walkStep(inner, check);
  for (const { steps } of listsWithin(step)) walk(steps, check);
}

/** A subworkflow, a function of the library, or a connector. */
export function findCallable(name: string, { routines, connectors }: Callables): KnownFunction | undefined {
  return routines.get(name) ?? findFunction(name) ?? findSuspending(name) ?? connectors.get(name);
}

function checkInExpression(name: string, count: number, { at, check }: { at: Position; check: Check }): void {
  const { problems, routines, connectors } = check;
  const found = findCallable(name, check);
  if (found === undefined) {
    problems.error(at, unknown(name));
    return;
  }
  if (!routines.has(name) && findSuspending(name)?.isBlocking === true) {
    problems.error(at, `${name} waits, so it cannot stand in an expression; use a step with 'call: ${name}'`);
    return;
  }
  if (connectors.has(name))
    problems.unverified(
      at,
      `${name} stands in an expression: a sample of Google's does so, its documentation says no`,
    );
  checkPlaces(found, count, { at, problems });
}

function unknown(name: string): string {
  if (name.startsWith('googleapis.')) return `the connector ${name} is not registered with this runner`;
  return name.includes('.')
    ? `the function ${name} does not exist or is not implemented`
    : `there is no subworkflow or function '${name}'`;
}

function checkPlaces(
  { name, parameters, isOpen = false }: KnownFunction,
  count: number,
  { at, problems }: { at: Position; problems: Problems },
): void {
  const least = parameters.filter((parameter) => parameter.default === undefined).length;
  const most = isOpen ? Infinity : parameters.length;
  if (count >= least && count <= most) return;
  const number = least === most ? `${least}` : `${least} to ${most}`;
  problems.error(at, `${name} takes ${number} arguments and gets ${count}`);
}

function checkCall({ name, args, position }: Extract<StepBody, { kind: 'call' }>, check: Check): void {
  const { problems } = check;
  const found = findCallable(name, check);
  if (found === undefined) {
    problems.error(position, unknown(name));
    return;
  }
  if (args.kind === 'positional') {
    checkPlaces(found, args.items.length, { at: position, problems });
    return;
  }
  const given = args.entries.map((entry) => entry.name);
  for (const entry of args.entries) {
    if (name.startsWith(UNSUPPORTED[entry.name] ?? '?'))
      problems.error(entry.position, `${name}: the argument '${entry.name}' is not implemented`);
    else if (!takes(found, entry.name))
      problems.error(entry.position, `${name} has no argument '${entry.name}'; it has ${listOf(found)}`);
  }
  const missing = found.parameters.filter(
    (parameter) => parameter.default === undefined && !given.includes(parameter.name),
  );
  for (const parameter of missing) problems.error(position, `${name} lacks its argument '${parameter.name}'`);
}

/** Every connector has settings of its own besides the parameters of its method. */
function takes({ name, parameters, isOpen = false }: KnownFunction, argument: string): boolean {
  if (isOpen || parameters.some((parameter) => parameter.name === argument)) return true;
  return name.startsWith('googleapis.') && argument === 'connector_params';
}

function listOf({ parameters }: KnownFunction): string {
  return parameters.length === 0 ? 'none' : parameters.map(({ name }) => name).join(', ');
}
