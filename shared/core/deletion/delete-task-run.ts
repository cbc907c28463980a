import { change } from '../change.ts';
import { findTaskRun } from '../find-task-run.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Run } from '../run.ts';
import { type DeletionPorts, endAttempts } from './end-attempts.ts';
import { FINALIZERS } from './finalizers.ts';
import { isEarlier, otherRunsOfName } from './runs-of-name.ts';

/**
 * Marks a TaskRun as being deleted and stops its work; `continueDeletions` does the rest, and then it is gone with all its
 * earlier runs. Repeating it is fine. Throws `not_found` for what is not there, or not there any more.
 */
export async function deleteTaskRun(ports: DeletionPorts, tenant: string, name: string): Promise<Run> {
  const newest = await findTaskRun(ports.store, tenant, name);
  const marked = await markDeleted(ports, newest);
  await deleteEarlier(ports, marked);
  await endAttempts(ports, marked);
  return (await ports.store.get(refs.run(tenant, newest.id)))?.data ?? marked;
}

/** What was retried or forked is deleted with what came of it. Answers whether they are gone. */
export async function deleteEarlier(ports: DeletionPorts, run: Run): Promise<boolean> {
  const earlier = (await otherRunsOfName(ports.store, run)).filter((other) => isEarlier(other, run));
  for (const other of earlier) await markDeleted(ports, other);
  return earlier.length === 0;
}

/** A deletion once begun keeps its time. */
async function markDeleted(ports: Pick<Ports, 'store' | 'clock' | 'log'>, { tenant, id }: Run): Promise<Run> {
  const at = ports.clock.now();
  const { data, changed } = await change(ports.store, refs.run(tenant, id), (run) =>
    run.deletingSince === undefined
      ? { data: { ...run, deletingSince: at, finalizers: [...FINALIZERS], updatedAt: at } }
      : undefined,
  );
  if (changed) ports.log.info(`run ${id} is being deleted`, { tenant, run: id });
  return data;
}
