import { plainText } from '../plain-text.ts';
import type { Named, Step, StepBody, StepList } from './ast.ts';
import { fieldsOf, onlyEntry, readName, requireList } from './fields.ts';
import { SOURCE_LIMITS } from './limits.ts';
import type { Problems } from './problems.ts';
import { readAssign } from './read-assign.ts';
import { readCall } from './read-call.ts';
import { readFor, readParallel } from './read-loops.ts';
import { readSwitch } from './read-switch.ts';
import { readTry } from './read-try.ts';
import type { At, Fields, Reader } from './reader.ts';
import type { MapTree, Tree, TreeEntry } from './source-tree.ts';
import { readTemplate } from './template.ts';

const ACTIONS = ['assign', 'call', 'switch', 'for', 'parallel', 'raise', 'try', 'return', 'steps'] as const;
type Action = (typeof ACTIONS)[number];
const WITH: Record<string, Action> = { args: 'call', result: 'call', retry: 'try', except: 'try' };
const KEYS = [...ACTIONS, ...Object.keys(WITH), 'next'];
/** Where a step may jump to without naming another. */
export const JUMPS: readonly string[] = ['end', 'break', 'continue'];

export function createReader(problems: Problems): Reader {
  const reader: Reader = {
    problems,
    count: 0,
    steps: (tree, what) => readSteps(tree, what, reader),
    step: (tree, named, besides = []) => readStep(tree, named, { reader, besides }),
  };
  return reader;
}

function readSteps(tree: Tree | undefined, what: string, reader: Reader): StepList {
  const { problems } = reader;
  const steps: Step[] = [];
  const indexOf = new Map<string, number>();
  for (const item of requireList(tree, `${what}: what it has under 'steps'`, problems)?.items ?? []) {
    const step = readNamed(item, reader);
    if (step === undefined) continue;
    if (indexOf.has(step.name))
      problems.error(step.position, `a second step '${step.name}' in the same list`);
    else indexOf.set(step.name, steps.length);
    steps.push(step);
  }
  if (tree?.kind === 'list' && tree.items.length === 0) problems.error(tree.position, `${what} has no steps`);
  return { steps, indexOf };
}

function readNamed(tree: Tree, reader: Reader): Step | undefined {
  const { problems } = reader;
  const entry = onlyEntry(tree, 'a step', problems);
  if (entry === undefined) return undefined;
  const named = { name: plainText(entry.key.value), position: entry.key.position };
  if (JUMPS.includes(named.name)) problems.error(named.position, `no step can be named '${named.name}'`);
  if (entry.value.kind === 'map') return reader.step(entry.value, named);
  problems.error(
    entry.value.position,
    `step '${named.name}' is a map with what it does, such as call or assign`,
  );
  return { ...named, body: { kind: 'nothing' } };
}

function readStep(
  tree: MapTree,
  named: Named,
  { reader, besides }: { reader: Reader; besides: readonly string[] },
): Step {
  const { problems } = reader;
  reader.count += 1;
  if (reader.count === SOURCE_LIMITS.steps + 1)
    problems.error(named.position, `more than ${SOURCE_LIMITS.steps} steps`);
  const what = `step '${named.name}'`;
  const fields = fieldsOf(tree, [...KEYS, ...besides], { problems, what });
  const actions = ACTIONS.filter((action) => fields.has(action));
  checkTogether(fields, actions, { named, problems, what });
  const [action] = actions;
  if (action === undefined && !fields.has('next') && besides.length === 0)
    problems.error(named.position, `${what} does nothing: it has none of ${ACTIONS.join(', ')}, next`);
  const next = readName(fields.get('next')?.value, `${what}: next`, problems);
  const body = action === undefined ? undefined : readBody(action, fields, { named, reader });
  return { ...named, body: body ?? { kind: 'nothing' }, ...(next === undefined ? {} : { next }) };
}

function checkTogether(
  fields: Fields,
  actions: readonly Action[],
  { named, problems, what }: { named: Named; problems: Problems; what: string },
): void {
  // Of a condition, `next` may stand beside `assign` and any other; two of these may not.
  if (actions.length > 1)
    problems.error(named.position, `${what} does one thing, and has ${actions.join(' and ')}`);
  for (const [key, action] of Object.entries(WITH)) {
    const entry = fields.get(key);
    if (entry !== undefined && !fields.has(action))
      problems.error(entry.key.position, `${what}: '${key}' needs '${action}' beside it`);
  }
}

function readBody(action: Action, fields: Fields, at: At): StepBody | undefined {
  const { named, reader } = at;
  const tree = (fields.get(action) as TreeEntry).value;
  switch (action) {
    case 'assign':
      return readAssign(tree, at);
    case 'call':
      return readCall(fields, at);
    case 'switch':
      return readSwitch(tree, at);
    case 'for':
      return readFor(tree, at);
    case 'parallel':
      return readParallel(tree, at);
    case 'try':
      return readTry(fields, at);
    case 'raise':
    case 'return':
      return { kind: action, value: readTemplate(tree, reader.problems) };
    default:
      return { kind: 'steps', steps: reader.steps(tree, `step '${named.name}'`) };
  }
}
