import { plainText } from '../plain-text.ts';
import type { Condition, StepBody } from './ast.ts';
import { checkCount, requireList, requireMap } from './fields.ts';
import { SOURCE_LIMITS } from './limits.ts';
import type { At } from './reader.ts';
import type { Tree } from './source-tree.ts';
import { readTemplate } from './template.ts';

export function readSwitch(tree: Tree, { named, reader }: At): StepBody | undefined {
  const { problems } = reader;
  const what = `step '${named.name}': switch`;
  const list = requireList(tree, what, problems);
  if (list === undefined) return undefined;
  if (list.items.length === 0) problems.error(list.position, `${what} has no conditions`);
  checkCount(list.items.length, SOURCE_LIMITS.conditions, { at: list.position, what, problems });
  const conditions = list.items.flatMap((item): Condition[] => {
    const map = requireMap(item, `${what}: each of them`, problems);
    if (map === undefined) return [];
    const { position } = item;
    const step = reader.step(map, { name: named.name, position }, ['condition']);
    const tested = map.entries.find(({ key }) => plainText(key.value) === 'condition')?.value;
    if (tested === undefined) {
      problems.error(position, `${what}: one of them has no condition`);
      return [];
    }
    const condition = readTemplate(tested, problems);
    if (condition.kind !== 'expression' && typeof constantOf(tested) !== 'boolean')
      problems.error(tested.position, `${what}: a condition is true, false or an expression`);
    if (step.body.kind === 'nothing' && step.next === undefined)
      problems.error(position, `${what}: a condition leads to nothing; it takes next, or what a step does`);
    return [{ condition, position, step }];
  });
  return { kind: 'switch', conditions };
}

function constantOf(tree: Tree): unknown {
  return tree.kind === 'scalar' ? tree.value : undefined;
}
