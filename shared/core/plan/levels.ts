import type { PlannedTask } from '../../messages/plan.ts';

/** Task → length of the longest chain before it; tasks in a cycle, or behind one, are missing. */
export function levelsOf(tasks: readonly Pick<PlannedTask, 'id' | 'dependencies'>[]): Map<string, number> {
  const waiting = new Map(tasks.map((task) => [task.id, task.dependencies.length]));
  const dependants = dependantsOf(tasks);
  const levels = new Map<string, number>();
  let level = tasks.filter((task) => task.dependencies.length === 0).map((task) => task.id);
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const id of level) {
      levels.set(id, depth);
      for (const dependant of dependants.get(id) ?? []) {
        const left = (waiting.get(dependant) ?? 0) - 1;
        waiting.set(dependant, left);
        if (left === 0) next.push(dependant);
      }
    }
    level = next;
  }
  return levels;
}

/** The edges the other way round; what nobody waits for is missing. */
export function dependantsOf(
  tasks: readonly Pick<PlannedTask, 'id' | 'dependencies'>[],
): Map<string, string[]> {
  const dependants = new Map<string, string[]>();
  for (const { id, dependencies } of tasks) {
    for (const dependency of dependencies) {
      const known = dependants.get(dependency);
      if (known === undefined) dependants.set(dependency, [id]);
      else known.push(id);
    }
  }
  return dependants;
}
