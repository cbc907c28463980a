import type { Assignment, StepBody } from './ast.ts';
import { checkCount, onlyEntry, requireList } from './fields.ts';
import { SOURCE_LIMITS } from './limits.ts';
import type { At } from './reader.ts';
import type { Tree } from './source-tree.ts';
import { readTarget } from './target.ts';
import { readTemplate } from './template.ts';

export function readAssign(tree: Tree, { named, reader: { problems } }: At): StepBody | undefined {
  const what = `step '${named.name}': assign`;
  const list = requireList(tree, what, problems);
  if (list === undefined) return undefined;
  if (list.items.length === 0) problems.error(list.position, `${what} assigns nothing`);
  checkCount(list.items.length, SOURCE_LIMITS.assignments, { at: list.position, what, problems });
  const assignments = list.items.flatMap((item): Assignment[] => {
    const entry = onlyEntry(item, 'an assignment', problems);
    if (entry === undefined) return [];
    const target = readTarget(entry.key, problems);
    const value = readTemplate(entry.value, problems);
    return target === undefined ? [] : [{ target, value }];
  });
  return { kind: 'assign', assignments };
}
