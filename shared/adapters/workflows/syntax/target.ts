import { plainText } from '../plain-text.ts';
import { compileTarget } from '../expressions/target.ts';
import type { Target, Template } from './ast.ts';
import type { Problems } from './problems.ts';
import type { ScalarTree } from './source-tree.ts';

/** Reads the left side of an assignment: `name`, `name.key`, `name[expression]`, chained. */
export function readTarget(tree: ScalarTree, problems: Problems): Target | undefined {
  const text = plainText(tree.value);
  const compiled = compileTarget(text);
  if (!compiled.ok) {
    problems.error(tree.placeOf(text, compiled.offset), compiled.message);
    return undefined;
  }
  const { name } = compiled;
  const path = compiled.path.map(({ key }): Template =>
    typeof key === 'string'
      ? { kind: 'literal', value: key }
      : // The expression's offsets count from the start of the whole target.
        { kind: 'expression', expression: key, place: (offset) => tree.placeOf(text, offset) },
  );
  return { name, path, position: tree.position };
}
