import type { Named, Position, Scoped, Step, StepList } from './ast.ts';
import type { Problems } from './problems.ts';
import type { MapTree, Tree, TreeEntry } from './source-tree.ts';

/** What the readers of the kinds of steps share. */
export interface Reader {
  readonly problems: Problems;
  /** Steps read so far. */
  count: number;
  steps(tree: Tree | undefined, what: string): StepList;
  /** What stands in one step, under a name of its own or of the step around it. */
  step(tree: MapTree, named: Named, besides?: readonly string[]): Step;
}

/** The keys of a step, and what stands under them. */
export type Fields = ReadonlyMap<string, TreeEntry>;

/** Where a body stands. */
export interface At {
  named: Named;
  reader: Reader;
}

export function scoped(steps: StepList): Scoped {
  return { steps, locals: [] };
}

export function placeOf(entry: TreeEntry | undefined, named: Named): Position {
  return entry?.value.position ?? named.position;
}
