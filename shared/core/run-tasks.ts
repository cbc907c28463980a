import { MAX_PAGE, type Store } from '../ports/store.ts';
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

/** Dependencies before dependants; ties by id, so that every reader has the same order. */
export function inDependencyOrder(tasks: readonly Task[]): Task[] {
  const left = new Map(tasks.map((task) => [task.id, task]));
  const ordered: Task[] = [];
  while (left.size > 0) {
    const free = [...left.values()]
      .filter((task) => task.dependencies.every((id) => !left.has(id)))
      .toSorted((a, b) => a.id.localeCompare(b.id));
    if (free.length === 0) break;
    for (const task of free) {
      ordered.push(task);
      left.delete(task.id);
    }
  }
  return ordered;
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
