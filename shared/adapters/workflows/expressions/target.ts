import { compileParsed, refusalOf } from './compile.ts';
import type { CompileError, Expression } from './expression.ts';
import { ExpressionError } from './lexer.ts';
import { parse, type Parsed } from './parser.ts';
import type { Node } from './tree.ts';

/** One step into a target: a key or an index, evaluated each time. */
export interface TargetKey {
  readonly key: string | Expression;
  /** Into the target's source. */
  readonly offset: number;
}

export type TargetResult =
  { readonly ok: true; readonly name: string; readonly path: readonly TargetKey[] } | CompileError;

/** Compiles the left side of an assignment: `name`, `name.key`, `name["key"]`, `name[expression]`, chained. */
export function compileTarget(source: string): TargetResult {
  const refusal = refusalOf(source);
  if (refusal !== undefined) return refusal;
  try {
    return targetOf(parse(source));
  } catch (error) {
    if (error instanceof ExpressionError) return { ok: false, message: error.message, offset: error.offset };
    throw error;
  }
}

function targetOf({ tree, unverifiedEscapes }: Parsed): TargetResult {
  const path: TargetKey[] = [];
  let node: Node = tree;
  while (node.kind === 'member' || node.kind === 'index') {
    const key = node.kind === 'member' ? node.member : keyOf(node.key, unverifiedEscapes);
    path.unshift({ key, offset: node.kind === 'member' ? node.offset : node.key.offset });
    node = node.object;
  }
  if (node.kind === 'name') return { ok: true, name: node.name, path };
  const message = 'what is assigned to is a variable, or an element of one such as name.key or name[index]';
  return { ok: false, message, offset: node.offset };
}

function keyOf(key: Node, unverifiedEscapes: Parsed['unverifiedEscapes']): string | Expression {
  if (key.kind === 'literal' && typeof key.value === 'string') return key.value;
  return compileParsed({ tree: key, unverifiedEscapes });
}
