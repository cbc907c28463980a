import { typeError } from '../errors.ts';
import { typeName, type Parameter, type Value, type ValueMap } from '../values.ts';

/** What a library function may ask of the execution. */
export interface Environment {
  /** A variable of the execution's environment. */
  env(name: string): string | undefined;
}

/** A function of the standard library that answers at once and changes nothing. */
export interface LibraryFunction {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /**
   * Arguments go by place; those left out at the end take their defaults.
   *
   * @throws Raised TypeError for a missing, superfluous or unfit argument, and whatever the function raises
   */
  evaluate(args: Value[], environment: Environment): Value;
}

/** What a parameter takes, by the name an error gives it. */
interface Kinds {
  any: Value;
  boolean: boolean;
  bytes: Uint8Array;
  integer: bigint;
  list: Value[];
  map: ValueMap;
  number: bigint | number;
  string: string;
}
type Kind = keyof Kinds;

/** Name, kind and perhaps default of a parameter. With `null` as default, `null` itself is taken as "left out". */
type Declaration = readonly [name: string, kind: Kind, byDefault?: Value];

type ArgumentOf<D> = D extends readonly [string, infer K extends Kind, infer V]
  ? Kinds[K] | (null extends V ? null : never)
  : D extends readonly [string, infer K extends Kind]
    ? Kinds[K]
    : never;
type ArgumentsOf<P> = { -readonly [I in keyof P]: ArgumentOf<P[I]> };

const CHECKS: { readonly [K in Kind]: (value: Value) => boolean } = {
  any: () => true,
  boolean: (value) => typeof value === 'boolean',
  bytes: (value) => value instanceof Uint8Array,
  integer: (value) => typeof value === 'bigint',
  list: (value) => Array.isArray(value),
  map: (value) => value instanceof Map,
  number: (value) => typeof value === 'bigint' || typeof value === 'number',
  string: (value) => typeof value === 'string',
};

/** Makes a table entry: it checks the arguments against the declared kinds and hands them to `body`. */
export function define<const P extends readonly Declaration[]>(
  name: string,
  declared: P,
  body: (args: ArgumentsOf<P>, environment: Environment) => Value,
): LibraryFunction {
  const parameters = declared.map(([parameter, , byDefault]) =>
    byDefault === undefined ? { name: parameter } : { name: parameter, default: byDefault },
  );
  return {
    name,
    parameters,
    evaluate(args, environment) {
      const problem = arityProblem({ name, parameters }, args.length);
      if (problem !== undefined) throw typeError(problem);
      const values = declared.map((declaration, at) => checked(name, declaration, args[at]));
      return body(values as ArgumentsOf<P>, environment);
    },
  };
}

function checked(name: string, [parameter, kind, byDefault]: Declaration, given: Value | undefined): Value {
  const value = given ?? byDefault ?? null;
  const isLeftOut = value === null && byDefault === null;
  if (isLeftOut || CHECKS[kind](value)) return value;
  throw typeError(`${name} takes a ${kind} as ${parameter}, got ${typeName(value)}`);
}

/** What is wrong with a number of arguments by place, if anything. */
export function arityProblem(
  { name, parameters }: Pick<LibraryFunction, 'name' | 'parameters'>,
  count: number,
): string | undefined {
  const required = parameters.filter((parameter) => parameter.default === undefined).length;
  if (count >= required && count <= parameters.length) return undefined;
  const names = parameters.map((parameter) =>
    parameter.default === undefined ? parameter.name : `[${parameter.name}]`,
  );
  return `${name}(${names.join(', ')}) takes ${required === parameters.length ? '' : `${required} to `}${parameters.length} argument${parameters.length === 1 ? '' : 's'}, got ${count}`;
}
