import { PenstockError } from '../../ports/penstock-error.ts';
import { MAX_COMMIT_WRITES, type Store, type Versioned } from '../../ports/store.ts';
import { refs } from '../refs.ts';
import type { Run } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import type { Task } from '../task.ts';

/** The run itself is the other write. */
const MAX_TASKS_AT_ONCE = MAX_COMMIT_WRITES - 1;

/**
 * The run's tasks and its stage: in one commit where they fit, otherwise in several, of which the last takes the run to
 * `next`; until then it is `meanwhile`, and its tasks are nobody's to execute. Every commit asks for the run as it was read, so nothing
 * is added to a run that was stopped in between. What a predecessor that crashed has stored is left as it is.
 * @throws PenstockError `conflict`, to be tried again, when the run has changed since it was read.
 */
export async function storeTasks(
  store: Store,
  found: Versioned<Run>,
  { meanwhile, next, tasks }: { meanwhile: Run; next: Run; tasks: Task[] },
): Promise<void> {
  let { version } = found;
  let missing = tasks;
  if (tasks.length > MAX_TASKS_AT_ONCE) {
    const stored = new Set((await readTasks(store, next.tenant, next.id)).map(({ id }) => id));
    missing = tasks.filter(({ id }) => !stored.has(id));
  }
  for (; missing.length > MAX_TASKS_AT_ONCE; missing = missing.slice(MAX_TASKS_AT_ONCE)) {
    version = await commit(store, { ...found, version }, meanwhile, missing.slice(0, MAX_TASKS_AT_ONCE));
  }
  await commit(store, { ...found, version }, next, missing);
}

/** The run's new version. */
async function commit(store: Store, found: Versioned<Run>, run: Run, tasks: Task[]): Promise<string> {
  const result = await store.commit([
    { op: 'set', ref: found.ref, data: run, ifVersion: found.version },
    ...tasks.map((task) => ({
      op: 'create' as const,
      ref: refs.task(run.tenant, run.id, task.id),
      data: task,
    })),
  ]);
  if (result.outcome === 'committed') return result.versions[0] ?? '';
  throw new PenstockError('conflict', `run ${run.id} changed while its plan was stored`, { retry: 'later' });
}
