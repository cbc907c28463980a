import type { Task } from '../task.ts';

/** These tasks and everything that they delegated, directly or not: what waits for the one waits for the others. */
export function withSubtasks(tasks: readonly Task[], ids: Iterable<string>): Set<string> {
  const children = Map.groupBy(
    tasks.filter(({ parent }) => parent !== undefined),
    ({ parent }) => parent,
  );
  const all = new Set(ids);
  for (const id of all) for (const child of children.get(id) ?? []) all.add(child.id);
  return all;
}
