import { resourceLimitError } from '../errors.ts';
import { libraryValue } from '../library/constants.ts';
import { arityProblem } from '../library/define.ts';
import { findFunction } from '../library/functions.ts';
import { findSuspending } from '../library/suspending.ts';
import type { Value } from '../values.ts';
import { codeOf, type Code } from './code.ts';
import type { CallUse, CompileError, CompileResult, Expression, NameUse, Scope } from './expression.ts';
import { ExpressionError } from './lexer.ts';
import { parse, type Parsed } from './parser.ts';
import { dottedName, type Node } from './tree.ts';

/** The service's limit; https://cloud.google.com/workflows/quotas. */
const MAX_LENGTH = 400;

/**
 * Compiles what stands between `${` and `}`. It never throws, and takes time and stack in proportion to the 400
 * characters an expression may have.
 */
export function compileExpression(source: string): CompileResult {
  const refusal = refusalOf(source);
  if (refusal !== undefined) return refusal;
  try {
    return { ok: true, expression: compileParsed(parse(source)) };
  } catch (error) {
    if (error instanceof ExpressionError) return { ok: false, message: error.message, offset: error.offset };
    throw error;
  }
}

/** Why a source is not even parsed. */
export function refusalOf(source: string): CompileError | undefined {
  if (source.trim() === '') return { ok: false, message: 'the expression is empty', offset: 0 };
  if (source.length <= MAX_LENGTH) return undefined;
  const message = `the expression has ${source.length} characters, and the service allows ${MAX_LENGTH}`;
  return { ok: false, message, offset: 0 };
}

/** An expression of a tree that was parsed already, such as a key of an assignment's target. */
export function compileParsed({ tree, unverifiedEscapes }: Parsed): Expression {
  const names: NameUse[] = [];
  const calls: CallUse[] = [];
  const unverified = unverifiedEscapes.map(({ text, offset }) => ({
    message: `the escape ${text} is in no documentation`,
    offset,
  }));
  for (const node of walk(tree)) {
    if (node.kind === 'name') names.push({ name: node.name, offset: node.offset });
    if (node.kind === 'call') calls.push(callUse(node));
    if (node.kind === 'map') {
      unverified.push({
        message: 'a map literal in an expression is in no documentation',
        offset: node.offset,
      });
    }
  }
  return { names, calls, unverified, ...evaluators(codeOf(tree)) };
}

function evaluators(code: Code): Pick<Expression, 'isPure' | 'evaluate' | 'evaluateAsync'> {
  const evaluate = (scope: Scope): Value => {
    try {
      return code.evaluate(scope);
    } catch (error) {
      throw raisable(error);
    }
  };
  const { evaluateAsync } = code;
  if (evaluateAsync === undefined) {
    return { isPure: true, evaluate, evaluateAsync: async (scope) => evaluate(scope) };
  }
  return {
    isPure: false,
    evaluate,
    evaluateAsync: async (scope) => {
      try {
        return await evaluateAsync(scope);
      } catch (error) {
        throw raisable(error);
      }
    },
  };
}

/** A value too large or nested too deeply for this process ends the execution, not the process. */
function raisable(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return resourceLimitError('a value is nested too deeply or has grown too large');
}

function callUse({ name, offset, args }: Node & { kind: 'call' }): CallUse {
  const declared = findFunction(name) ?? findSuspending(name);
  const problem = declared === undefined ? undefined : arityProblem(declared, args.length);
  if (problem !== undefined) throw new ExpressionError(problem, offset);
  return { name, offset, argCount: args.length };
}

/** The node and all below it that is evaluated; names that only spell a value of the library are not variables. */
function* walk(node: Node): Generator<Node> {
  const name = dottedName(node);
  if (name !== undefined && libraryValue(name) !== undefined) return;
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
}

function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'list':
      return node.items;
    case 'map':
      return node.entries.flat();
    case 'member':
      return [node.object];
    case 'index':
      return [node.object, node.key];
    case 'call':
      return node.args;
    case 'unary':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    default:
      return [];
  }
}
