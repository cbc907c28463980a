import type { Except, Retry, Step, StepBody } from './ast.ts';
import { fieldsOf, readVariable, requireMap } from './fields.ts';
import { type At, type Fields, scoped } from './reader.ts';
import type { MapTree, Tree } from './source-tree.ts';
import { readTemplate } from './template.ts';

export function readTry(fields: Fields, at: At): StepBody | undefined {
  const { named, reader } = at;
  const { problems } = reader;
  const tree = requireMap(fields.get('try')?.value, `step '${named.name}': try`, problems);
  const retry = readRetry(fields.get('retry')?.value, at);
  const except = readExcept(fields.get('except')?.value, at);
  if (tree === undefined) return undefined;
  const body: Step = reader.step(tree, named);
  if (body.body.kind === 'for')
    problems.unverified(
      tree.position,
      `a 'for' right under 'try' fails to deploy, as the service's known issues say; give it a step of its own`,
    );
  return {
    kind: 'try',
    body,
    ...(retry === undefined ? {} : { retry }),
    ...(except === undefined ? {} : { except }),
  };
}

function readRetry(tree: Tree | undefined, { named, reader: { problems } }: At): Retry | undefined {
  if (tree === undefined) return undefined;
  const what = `step '${named.name}': retry`;
  if (tree.kind === 'map') checkPolicy(tree, what, { named, problems });
  const policy = readTemplate(tree, problems);
  if (tree.kind !== 'map' && policy.kind !== 'expression')
    problems.error(tree.position, `${what} is a policy such as \${http.default_retry}, or a map`);
  return { policy, position: tree.position };
}

const POLICY = ['predicate', 'max_retries', 'backoff'];
const BACKOFF = ['initial_delay', 'max_delay', 'multiplier'];

function checkPolicy(
  tree: MapTree,
  what: string,
  { problems }: { named: unknown; problems: At['reader']['problems'] },
): void {
  const fields = fieldsOf(tree, POLICY, { problems, what });
  const backoff = fields.get('backoff')?.value;
  if (backoff?.kind === 'map') fieldsOf(backoff, BACKOFF, { problems, what: `${what}: backoff` });
}

function readExcept(tree: Tree | undefined, { named, reader }: At): Except | undefined {
  const { problems } = reader;
  const what = `step '${named.name}': except`;
  const map = requireMap(tree, what, problems);
  if (map === undefined) return undefined;
  const fields = fieldsOf(map, ['as', 'steps'], { problems, what });
  const as = readVariable(fields.get('as')?.value, `${what}: as`, problems);
  if (!fields.has('as'))
    problems.error(map.position, `${what} has no 'as': the variable that takes the error`);
  if (!fields.has('steps')) problems.error(map.position, `${what} has no steps`);
  const scope = scoped(reader.steps(fields.get('steps')?.value, what));
  return as === undefined ? undefined : { as: as.name, position: map.position, scope };
}
