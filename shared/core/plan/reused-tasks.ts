import { PenstockError } from '../../ports/penstock-error.ts';
import { MAX_PAGE, type Store } from '../../ports/store.ts';
import { appendHistory } from '../history.ts';
import { refs } from '../refs.ts';
import type { Run } from '../run.ts';
import type { Task } from '../task.ts';

/**
 * The tasks whose results a run takes over, as the other run has them, by id.
 * @throws PenstockError `not_found` where the other run is gone.
 */
export async function readReused(store: Store, run: Run): Promise<Map<string, Task>> {
  const tasks = new Map<string, Task>();
  const { run: from = '', reuse = [] } = run.forkedFrom ?? {};
  for (let at = 0; at < reuse.length; at += MAX_PAGE) {
    const ids = reuse.slice(at, at + MAX_PAGE);
    const found = await store.getMany(ids.map((id) => refs.task(run.tenant, from, id)));
    for (const [index, id] of ids.entries()) {
      const task = found[index]?.data;
      if (task?.result === undefined) {
        const message = `task ${id} of run ${from}, whose result run ${run.id} takes over, is gone; submit the requirement again`;
        throw new PenstockError('not_found', message);
      }
      tasks.set(id, task);
    }
  }
  return tasks;
}

/** The task as one that has ended with the result of an old one: it was not executed here and spent nothing. */
export function asReused(task: Task, old: Task): Task {
  const note = `the result of run ${old.run} is taken over`;
  const { agent, result } = old;
  return {
    ...task,
    agent,
    state: 'succeeded',
    settled: true,
    live: false,
    held: false,
    allotmentMicroUsd: 0,
    ...(result === undefined ? {} : { result }),
    history: appendHistory(task.history, { at: task.createdAt, state: 'succeeded', by: 'fork', note }),
  };
}

/**
 * What the agents of reused tasks had delegated: part of their result. It stands in the graph where the planned task stands.
 * `planned`: the reused tasks of the plan, as the new run has them.
 */
export function reusedSubtasks(planned: readonly Task[], reused: ReadonlyMap<string, Task>): Task[] {
  const byId = new Map(planned.map((task) => [task.id, task]));
  return [...reused.values()].flatMap((old) => {
    const place = byId.get(plannedOf(reused, old.id));
    if (place === undefined || place.id === old.id) return [];
    const { id, title, instructions, acceptance, scope, lane, pool, depth, parent = place.id } = old;
    const own = { id, title, instructions, acceptance, scope, lane, pool, depth, parent };
    return [asReused({ ...place, ...own, history: place.history.slice(0, 1) }, old)];
  });
}

/** The task of the plan that this one is, or was delegated for. */
export function plannedOf(tasks: ReadonlyMap<string, Task>, id: string): string {
  const parent = tasks.get(id)?.parent;
  return parent === undefined ? id : plannedOf(tasks, parent);
}
