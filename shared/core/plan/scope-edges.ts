import type { PlannedTask } from '../../messages/plan.ts';
import { openEdges, type Reach } from './reach.ts';
import { indexScopes, type ScopePlace } from './scope-index.ts';

/**
 * Two tasks that may run at the same time and change the same files: the later one in the plan waits for the earlier.
 * What is waited for already gets no second edge. `tasks` have no cycle; one that `changesNothing` gets and causes no edge.
 */
export function withScopeEdges(
  tasks: readonly PlannedTask[],
  changesNothing: (task: PlannedTask) => boolean,
): PlannedTask[] {
  const edges = openEdges(tasks);
  const { reach } = edges;
  const places = indexScopes(tasks.map((task) => (changesNothing(task) ? [] : task.scope)));
  for (const [index, own] of places.entries()) {
    for (const earlier of lastBefore(own, index, reach)) edges.add(index, earlier);
    for (const place of own) joinChain(place, index, reach);
  }
  return edges.tasks;
}

/**
 * Of every place that shares files with these, the last task that does not wait for this one: all before it are waited for
 * with it. What waits for the most comes first, since it may make an edge to the others needless.
 */
function lastBefore(own: readonly ScopePlace[], index: number, reach: Reach): number[] {
  const found = new Set<number>();
  for (const { chain } of own.flatMap((place) => place.overlapping())) {
    const last = chain.findLast((earlier) => !reach.has(earlier, index));
    if (last !== undefined) found.add(last);
  }
  return [...found].toSorted((a, b) => reach.size(b) - reach.size(a) || b - a);
}

/** Tasks of one place wait for each other in the order of its chain: a new one stands before all that wait for it. */
function joinChain({ chain }: ScopePlace, index: number, reach: Reach): void {
  chain.splice(chain.findLastIndex((earlier) => !reach.has(earlier, index)) + 1, 0, index);
}
