import type { Named, Routine } from './ast.ts';
import { checkCount, fieldsOf, readVariable, requireList } from './fields.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { type Reader, scoped } from './reader.ts';
import type { Tree } from './source-tree.ts';
import { readTemplate } from './template.ts';

type RoutineParameters = Routine['parameters'];

/** `main`, or a subworkflow. A bare list of steps is a `main` without parameters. */
export function readRoutine(named: Named, tree: Tree, reader: Reader): Routine | undefined {
  const { problems } = reader;
  const { name, position } = named;
  const what = name === 'main' ? 'main' : `subworkflow '${name}'`;
  if (tree.kind === 'list')
    return { name, position, parameters: [], scope: scoped(reader.steps(tree, what)) };
  if (tree.kind !== 'map') {
    problems.error(tree.position, `${what} is a map with steps and, where it takes any, params`);
    return undefined;
  }
  const fields = fieldsOf(tree, ['params', 'steps'], { problems, what });
  if (!fields.has('steps')) problems.error(position, `${what} has no steps`);
  const parameters = readParameters(fields.get('params')?.value, { named, reader });
  const scope = scoped(reader.steps(fields.get('steps')?.value, what));
  return { name, position, parameters, scope };
}

function readParameters(
  tree: Tree | undefined,
  { named: { name }, reader: { problems } }: { named: Named; reader: Reader },
): RoutineParameters {
  if (tree === undefined || (tree.kind === 'scalar' && tree.value === null)) return [];
  const isMain = name === 'main';
  const what = `${isMain ? 'main' : `subworkflow '${name}'`}: params`;
  const items = requireList(tree, what, problems)?.items ?? [];
  checkCount(items.length, isMain ? 1 : SOURCE_LIMITS.parameters, { at: tree.position, what, problems });
  const parameters = items.flatMap((item) => readParameter(item, { what, isMain, reader: { problems } }));
  const names = parameters.map((parameter) => parameter.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) problems.error(tree.position, `${what}: two are named '${twice}'`);
  return parameters;
}

function readParameter(
  tree: Tree,
  { what, isMain, reader: { problems } }: { what: string; isMain: boolean; reader: Pick<Reader, 'problems'> },
): RoutineParameters[number][] {
  const [entry, ...others] = tree.kind === 'map' ? tree.entries : [];
  if (entry === undefined || others.length > 0) {
    const named = readVariable(tree, what, problems);
    return named === undefined ? [] : [{ name: named.name }];
  }
  const named = readVariable(entry.key, what, problems);
  const value = readTemplate(entry.value, problems);
  if (value.kind !== 'literal') {
    problems.error(entry.value.position, `${what}: a default is a plain value, not an expression`);
    return [];
  }
  if (isMain) problems.unverified(entry.key.position, `${what}: a default for the argument of the execution`);
  return named === undefined ? [] : [{ name: named.name, default: value.value }];
}
