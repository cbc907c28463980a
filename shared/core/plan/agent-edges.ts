import type { PlannedTask } from '../../messages/plan.ts';
import { levelsOf } from './levels.ts';
import { createReach } from './reach.ts';

/**
 * Tasks of an agent that may not run at the same time wait for each other, in an order that all edges agree with. What is waited for
 * already gets no second edge. `tasks` have no cycle.
 */
export function withAgentEdges(
  tasks: readonly PlannedTask[],
  mayRunParallel: (agent: string) => boolean,
): PlannedTask[] {
  const result = tasks.map((task) => ({ ...task, dependencies: [...task.dependencies] }));
  const reach = createReach(result);
  const levels = levelsOf(tasks);
  const before = new Map<string, number>();
  // By level: an edge from a later task to an earlier one never closes a cycle, whichever agent it is for.
  const inOrder = [...result.entries()].toSorted(
    ([a, one], [b, other]) => (levels.get(one.id) ?? 0) - (levels.get(other.id) ?? 0) || a - b,
  );
  for (const [index, task] of inOrder) {
    if (mayRunParallel(task.agent)) continue;
    const earlier = before.get(task.agent);
    before.set(task.agent, index);
    if (earlier === undefined || reach.has(index, earlier)) continue;
    reach.add(index, earlier);
    task.dependencies.push(result[earlier]?.id ?? '');
  }
  return result;
}
