import { plainText } from '../plain-text.ts';
import type { Branch, Loop, Named, StepBody, Template } from './ast.ts';
import { checkCount, fieldsOf, onlyEntry, readVariable, requireList, requireMap } from './fields.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { type At, placeOf, scoped } from './reader.ts';
import type { Tree, TreeEntry } from './source-tree.ts';
import { readTemplate } from './template.ts';

export function readFor(tree: Tree, at: At): StepBody | undefined {
  const loop = readLoop(tree, at);
  return loop === undefined ? undefined : { kind: 'for', loop };
}

function readLoop(tree: Tree, { named, reader }: At): Loop | undefined {
  const { problems } = reader;
  const what = `step '${named.name}': for`;
  const map = requireMap(tree, what, problems);
  if (map === undefined) return undefined;
  const fields = fieldsOf(map, ['value', 'index', 'in', 'range', 'steps'], { problems, what });
  const value = readVariable(fields.get('value')?.value, `${what}: value`, problems);
  const index = readVariable(fields.get('index')?.value, `${what}: index`, problems);
  const over = fields.has('range') ? 'range' : 'in';
  const source = fields.get(over);
  if (!fields.has('value'))
    problems.error(map.position, `${what} has no value: the variable that takes each`);
  if (source === undefined || (fields.has('in') && fields.has('range')))
    problems.error(map.position, `${what} has either 'in' or 'range'`);
  if (!fields.has('steps')) problems.error(map.position, `${what} has no steps`);
  const steps = reader.steps(fields.get('steps')?.value, what);
  if (value === undefined || source === undefined) return undefined;
  const items = readTemplate(source.value, problems);
  if (over === 'range') checkRange(source.value, items, { named, reader });
  else if (items.kind === 'literal' && !Array.isArray(items.value))
    problems.error(source.value.position, `${what}: in is a list or an expression`);
  return {
    value: value.name,
    ...(index === undefined ? {} : { index: index.name }),
    over,
    items,
    scope: scoped(steps),
    position: source.value.position,
  };
}

function checkRange(tree: Tree, items: Template, { named, reader: { problems } }: At): void {
  if (items.kind === 'expression') return;
  const what = `step '${named.name}': range`;
  if (tree.kind !== 'list' || tree.items.length !== 2)
    problems.error(tree.position, `${what} is [first, last], or an expression`);
  else if (items.kind === 'list')
    problems.unverified(
      tree.position,
      `${what}: write \${[first, last]}; the service's schema warns of [\${first}, \${last}]`,
    );
  else if (
    !tree.items.every((end) => end.kind === 'scalar' && ['bigint', 'number'].includes(typeof end.value))
  )
    problems.error(tree.position, `${what} takes two numbers`);
}

const PARALLEL = ['shared', 'concurrency_limit', 'exception_policy', 'branches', 'for'];

export function readParallel(tree: Tree, at: At): StepBody | undefined {
  const { named, reader } = at;
  const { problems } = reader;
  const what = `step '${named.name}': parallel`;
  const map = requireMap(tree, what, problems);
  if (map === undefined) return undefined;
  const fields = fieldsOf(map, PARALLEL, { problems, what });
  if (fields.has('branches') === fields.has('for'))
    problems.error(map.position, `${what} has either 'branches' or 'for'`);
  checkPolicy(fields.get('exception_policy'), what, at);
  const limit = fields.get('concurrency_limit')?.value;
  const branches = fields.has('branches') ? readBranches(fields.get('branches'), at) : undefined;
  const loop = fields.has('for') ? readLoop(placed(fields.get('for'), tree), at) : undefined;
  return {
    kind: 'parallel',
    shared: readShared(fields.get('shared')?.value, at),
    ...(limit === undefined ? {} : { concurrencyLimit: readTemplate(limit, problems) }),
    ...(branches === undefined ? {} : { branches }),
    ...(loop === undefined ? {} : { loop }),
  };
}

function placed(entry: TreeEntry | undefined, otherwise: Tree): Tree {
  return entry?.value ?? otherwise;
}

function checkPolicy(entry: TreeEntry | undefined, what: string, { reader: { problems } }: At): void {
  const tree = entry?.value;
  if (tree !== undefined && !(tree.kind === 'scalar' && tree.value === 'continueAll'))
    problems.error(tree.position, `${what}: exception_policy is continueAll, and nothing else`);
}

function readShared(tree: Tree | undefined, { named, reader: { problems } }: At): Named[] {
  const what = `step '${named.name}': shared`;
  const items = requireList(tree, what, problems)?.items ?? [];
  return items.flatMap((item) => readVariable(item, what, problems) ?? []);
}

function readBranches(entry: TreeEntry | undefined, { named, reader }: At): Branch[] {
  const { problems } = reader;
  const what = `step '${named.name}': branches`;
  const items = requireList(entry?.value, what, problems)?.items ?? [];
  const at = placeOf(entry, named);
  if (items.length < SOURCE_LIMITS.fewestBranches)
    problems.error(at, `${what} are at least ${SOURCE_LIMITS.fewestBranches}`);
  checkCount(items.length, SOURCE_LIMITS.branches, { at, what, problems });
  const names = new Set<string>();
  return items.flatMap((item): Branch[] => {
    const branch = onlyEntry(item, 'a branch', problems);
    if (branch === undefined) return [];
    const { position } = branch.key;
    const name = plainText(branch.key.value);
    if (names.has(name)) problems.error(position, `a second branch '${name}' in the same step`);
    names.add(name);
    const map = requireMap(branch.value, `branch '${name}'`, problems);
    if (map === undefined) return [];
    const fields = fieldsOf(map, ['steps'], { problems, what: `branch '${name}'` });
    if (!fields.has('steps')) problems.error(position, `branch '${name}' has no steps`);
    return [{ name, position, scope: scoped(reader.steps(fields.get('steps')?.value, `branch '${name}'`)) }];
  });
}
