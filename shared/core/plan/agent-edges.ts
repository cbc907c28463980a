import type { PlannedTask } from '../../messages/plan.ts';
import { levelsOf } from './levels.ts';
import { openEdges } from './reach.ts';

/**
 * Tasks of an agent that may not run at the same time wait for each other, in an order that all edges agree with. What is waited for
 * already gets no second edge. `tasks` have no cycle.
 */
export function withAgentEdges(
  tasks: readonly PlannedTask[],
  mayRunParallel: (agent: string) => boolean,
): PlannedTask[] {
  const edges = openEdges(tasks);
  const levels = levelsOf(tasks);
  const before = new Map<string, number>();
  // By level: an edge from a later task to an earlier one never closes a cycle, whichever agent it is for.
  const inOrder = [...tasks.entries()].toSorted(
    ([a, one], [b, other]) => (levels.get(one.id) ?? 0) - (levels.get(other.id) ?? 0) || a - b,
  );
  for (const [index, { agent }] of inOrder) {
    if (mayRunParallel(agent)) continue;
    const earlier = before.get(agent);
    before.set(agent, index);
    if (earlier !== undefined) edges.add(index, earlier);
  }
  return edges.tasks;
}
