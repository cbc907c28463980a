import { keyError, typeError } from '../errors.ts';
import { libraryValue } from '../library/constants.ts';
import { findFunction } from '../library/functions.ts';
import { typeName, type Value, type ValueMap } from '../values.ts';
import type { Scope } from './expression.ts';
import { BINARY, condition, lookUp, negative, not } from './operators.ts';
import { dottedName, type Node } from './tree.ts';

/** A node as a function. Only one with a call that may suspend below it has `evaluateAsync`, and then needs it. */
export interface Code {
  evaluate(scope: Scope): Value;
  evaluateAsync?: (scope: Scope) => Promise<Value>;
}

type Combine = (values: Value[], scope: Scope) => Value;

/** Turns a tree into nested functions, once, at load. */
export function codeOf(node: Node): Code {
  switch (node.kind) {
    case 'literal':
      return { evaluate: () => node.value };
    case 'name':
      return { evaluate: (scope) => variable(scope, node.name) };
    case 'list':
      return strict(node.items, (values) => values);
    case 'map':
      return strict(node.entries.flat(), mapOf);
    case 'member':
      return member(node);
    case 'index':
      return strict([node.object, node.key], ([object, key]) => lookUp(object as Value, key as Value));
    case 'unary':
      return strict([node.operand], ([value]) => (node.operator === 'not' ? not : negative)(value as Value));
    case 'binary':
      return binary(node);
    default:
      return call(node);
  }
}

function variable(scope: Scope, name: string): Value {
  const value = scope.get(name);
  if (value === undefined) throw keyError(name);
  return value;
}

function mapOf(values: Value[]): ValueMap {
  const map: ValueMap = new Map();
  for (let at = 0; at < values.length; at += 2) {
    const key = values[at] as Value;
    if (typeof key !== 'string') throw typeError(`the key of a map must be a string, got ${typeName(key)}`);
    map.set(key, values[at + 1] as Value);
  }
  return map;
}

function member(node: Node & { kind: 'member' }): Code {
  const makeLibraryValue = libraryValue(dottedName(node) ?? '');
  if (makeLibraryValue !== undefined) return { evaluate: makeLibraryValue };
  return strict([node.object], ([object]) => lookUp(object as Value, node.member));
}

function binary(node: Node & { kind: 'binary' }): Code {
  const { operator, left, right } = node;
  if (operator === 'and' || operator === 'or') return shortCircuit(operator, codeOf(left), codeOf(right));
  const combine = BINARY[operator];
  return strict([left, right], ([a, b]) => combine(a as Value, b as Value));
}

/** The right side is not evaluated when the left one decides. */
function shortCircuit(operator: 'and' | 'or', left: Code, right: Code): Code {
  const decides = operator === 'or';
  const evaluate = (scope: Scope): Value =>
    condition(operator, left.evaluate(scope)) === decides
      ? decides
      : condition(operator, right.evaluate(scope));
  if (left.evaluateAsync === undefined && right.evaluateAsync === undefined) return { evaluate };
  return {
    evaluate,
    evaluateAsync: async (scope) =>
      condition(operator, await valueOf(left, scope)) === decides
        ? decides
        : condition(operator, await valueOf(right, scope)),
  };
}

function call({ name, args }: Node & { kind: 'call' }): Code {
  const known = findFunction(name);
  if (known !== undefined) return strict(args, (values, scope) => known.evaluate(values, scope));
  const codes = args.map(codeOf);
  return {
    evaluate: () => {
      throw new Error(`${name} may suspend: this expression needs evaluateAsync`);
    },
    evaluateAsync: async (scope) => await scope.call(name, await valuesOf(codes, scope)),
  };
}

/** A node whose value follows from those of all below it. */
function strict(nodes: readonly Node[], combine: Combine): Code {
  const codes = nodes.map(codeOf);
  const evaluate = (scope: Scope): Value =>
    combine(
      codes.map((code) => code.evaluate(scope)),
      scope,
    );
  if (codes.every((code) => code.evaluateAsync === undefined)) return { evaluate };
  return { evaluate, evaluateAsync: async (scope) => combine(await valuesOf(codes, scope), scope) };
}

async function valuesOf(codes: readonly Code[], scope: Scope): Promise<Value[]> {
  const values: Value[] = [];
  for (const code of codes) values.push(await valueOf(code, scope));
  return values;
}

function valueOf(code: Code, scope: Scope): Value | Promise<Value> {
  return code.evaluateAsync === undefined ? code.evaluate(scope) : code.evaluateAsync(scope);
}
