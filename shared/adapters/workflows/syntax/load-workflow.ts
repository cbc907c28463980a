import { plainText } from '../plain-text.ts';
import type { Routine, Workflow } from './ast.ts';
import { checkCalls, type KnownFunction } from './check-calls.ts';
import { checkJumps } from './check-jumps.ts';
import { checkNames } from './check-names.ts';
import { collectProblems, type Problem, type Problems } from './problems.ts';
import { readRoutine } from './read-routine.ts';
import { createReader } from './read-steps.ts';
import { readTree, type Tree } from './source-tree.ts';

export interface LoadOptions {
  /** Of the workflow, usually that of its file without `.yaml`. @default 'workflow' */
  name?: string;
  /** The connectors that can be called; those of the runner that is to run it. @default none */
  connectors?: Iterable<KnownFunction>;
}

export interface Loaded {
  /** Absent when there is an error. */
  workflow?: Workflow;
  /** All at once, in the order of the source. */
  problems: Problem[];
}

/**
 * Reads a workflow from YAML or JSON, compiled and checked: what the service refuses to deploy, and what this runner does not
 * implement, is an error with its line and column. It never throws and never hangs, whatever the text.
 *
 * ```ts
 * const { workflow, problems } = loadWorkflow('- hello:\n    return: ${1 + 1}\n', { name: 'hello' });
 * ```
 */
export function loadWorkflow(text: string, { name = 'workflow', connectors = [] }: LoadOptions = {}): Loaded {
  const problems = collectProblems();
  const tree = readTree(text, problems);
  const routines = tree === undefined ? new Map<string, Routine>() : readRoutines(tree, problems);
  const main = routines.get('main');
  const known = new Map([...connectors].map((connector) => [connector.name, connector]));
  const names = new Set(routines.keys());
  for (const routine of routines.values()) {
    checkNames(routine, names, problems);
    checkJumps(routine, problems);
    checkCalls(routine, { routines, connectors: known, problems });
  }
  if (main === undefined && problems.all().length === 0)
    problems.error(
      { line: 1, column: 1 },
      'there is no main: a workflow is a list of steps, or a map with main',
    );
  const found = problems.all();
  if (main === undefined || found.some(({ severity }) => severity === 'error')) return { problems: found };
  return { workflow: { name, source: text, routines, main }, problems: found };
}

function readRoutines(tree: Tree, problems: Problems): Map<string, Routine> {
  const reader = createReader(problems);
  const routines = new Map<string, Routine>();
  if (tree.kind === 'list') {
    const main = readRoutine({ name: 'main', position: tree.position }, tree, reader);
    if (main !== undefined) routines.set('main', main);
    return routines;
  }
  if (tree.kind === 'scalar') {
    problems.error(tree.position, 'a workflow is a list of steps, or a map with main');
    return routines;
  }
  for (const { key, value } of tree.entries) {
    const routine = readRoutine({ name: plainText(key.value), position: key.position }, value, reader);
    if (routine !== undefined) routines.set(routine.name, routine);
  }
  if (!routines.has('main')) problems.error(tree.position, 'there is no main among the routines');
  return routines;
}
