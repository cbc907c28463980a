import { compileExpression } from '../../../../../shared/adapters/workflows/expressions/compile.ts';
import type { Expression, Scope } from '../../../../../shared/adapters/workflows/expressions/expression.ts';
import { Raised } from '../../../../../shared/adapters/workflows/errors.ts';
import type { Value } from '../../../../../shared/adapters/workflows/values.ts';

export type Variables = Record<string, Value>;

export function compiled(source: string): Expression {
  const result = compileExpression(source);
  if (!result.ok) throw new Error(`${source}: ${result.message} at ${result.offset}`);
  return result.expression;
}

export function scopeOf(
  variables: Variables,
  calls: Record<string, (...args: Value[]) => Value> = {},
): Scope {
  const map = new Map(Object.entries(variables));
  return {
    get: (name) => map.get(name),
    env: (name) => (name === 'GOOGLE_CLOUD_LOCATION' ? 'europe-west1' : undefined),
    call: async (name, args) => calls[name]?.(...args) ?? null,
  };
}

export function evaluate(source: string, variables: Variables = {}): Value {
  return compiled(source).evaluate(scopeOf(variables));
}

/** The tags and message of what an expression raises. */
export function raisedBy(source: string, variables: Variables = {}): { message: string; tags: Value } {
  return raisedIn(() => evaluate(source, variables));
}

export function raisedIn(action: () => unknown): { message: string; tags: Value } {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Raised) || !(error.value instanceof Map)) throw error;
    return { message: error.message, tags: error.value.get('tags') ?? null };
  }
  throw new Error('nothing was raised');
}
