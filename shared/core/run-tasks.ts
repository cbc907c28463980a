import { MAX_PAGE, type Store } from '../ports/store.ts';
import { levelsOf } from './plan/levels.ts';
import { tasksOf } from './refs.ts';
import type { Task } from './task.ts';

/** All tasks of a run, in order of id; a run has a bounded number of them. */
export async function readTasks(store: Store, tenant: string, run: string): Promise<Task[]> {
  const tasks: Task[] = [];
  let cursor: string | undefined;
  do {
    const from = { collection: tasksOf(tenant, run) };
    const page = await store.query<Task>({
      from,
      limit: MAX_PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    tasks.push(...page.documents.map(({ data }) => data));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return tasks;
}

/** Dependencies before dependants; ties by id, so that every reader has the same order. A dependency that is not among them counts as done. */
export function inDependencyOrder(tasks: readonly Task[]): Task[] {
  const ids = new Set(tasks.map(({ id }) => id));
  const levels = levelsOf(
    tasks.map(({ id, dependencies }) => ({
      id,
      dependencies: dependencies.filter((other) => ids.has(other)),
    })),
  );
  const levelOf = ({ id }: Task) => levels.get(id) ?? Infinity;
  return tasks
    .filter(({ id }) => levels.has(id))
    .toSorted((a, b) => levelOf(a) - levelOf(b) || a.id.localeCompare(b.id));
}

/** Ids of everything that a task waits for, directly or not. */
export function ancestorsOf(tasks: readonly Task[], id: string): Set<string> {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const seen = new Set<string>();
  const open = [...(byId.get(id)?.dependencies ?? [])];
  while (open.length > 0) {
    const next = open.pop() ?? '';
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(byId.get(next)?.dependencies ?? []));
  }
  return seen;
}
