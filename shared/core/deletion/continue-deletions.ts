import { PenstockError } from '../../ports/penstock-error.ts';
import { change } from '../change.ts';
import { type Apart, createApart, type Trouble } from '../create-apart.ts';
import { refs } from '../refs.ts';
import type { Store, Write } from '../../ports/store.ts';
import type { Run } from '../run.ts';
import { deleteFiles } from './delete-files.ts';
import { deleteRecords } from './delete-records.ts';
import { deleteEarlier } from './delete-task-run.ts';
import { type DeletionPorts, endAttempts } from './end-attempts.ts';
import { type Finalizer, FINALIZERS } from './finalizers.ts';
import { isEarlier } from './runs-of-name.ts';

/** Runs that one call looks at, the longest in deletion first. */
const MAX_RUNS = 100;

/**
 * Goes on with every deletion as far as it goes now: what is live first has to end. Idempotent and safe at any crash: each
 * finalizer is removed after its work is done, and work that was done already finds nothing to do. Answers how many were looked at.
 */
export async function continueDeletions(
  ports: DeletionPorts,
  apart: Apart = createApart(ports.log),
): Promise<number> {
  const { documents } = await ports.store.query<Run>({
    from: { group: 'runs' },
    where: [{ field: 'deletingSince', op: '>', value: 0 }],
    limit: MAX_RUNS,
  });
  const earliestFirst = documents.map(({ data }) => data).toSorted((a, b) => (isEarlier(a, b) ? -1 : 1));
  for (const run of earliestFirst) await apart.run(troubleOf(run), () => continueDeletion(ports, run));
  return documents.length;
}

/** One that cannot go on now does not keep the others from it. */
function troubleOf({ tenant, id }: Run): Trouble {
  return {
    of: { tenant, run: id },
    what: `the deletion of run ${id} of tenant ${tenant} stopped`,
    next: 'it goes on with the next sweep; mend what it names if it says so again',
  };
}

type Step = (ports: DeletionPorts, run: Run) => Promise<boolean>;

/** Each answers whether its work is done. */
const steps: Record<Finalizer, Step> = {
  'penstock/attempts': async (ports, run) => {
    await deleteEarlier(ports, run);
    return endAttempts(ports, run);
  },
  'penstock/files': deleteFiles,
  'penstock/records': async (ports, run) => {
    // The name goes last, with its newest run: when it is gone, everything is.
    if (!(await deleteEarlier(ports, run))) return false;
    return deleteRecords(ports.store, run);
  },
};

async function continueDeletion(ports: DeletionPorts, run: Run): Promise<void> {
  for (const finalizer of FINALIZERS) {
    if (run.finalizers?.includes(finalizer) !== true) continue;
    if (!(await steps[finalizer](ports, run))) return;
    await change(ports.store, refs.run(run.tenant, run.id), ({ finalizers = [], ...rest }) => ({
      data: { ...rest, finalizers: finalizers.filter((other) => other !== finalizer) },
    }));
  }
  await deleteRun(ports, run);
}

/** The record of a run, and its name where it is the newest of it. */
async function deleteRun(ports: DeletionPorts, { tenant, id }: Run): Promise<void> {
  const run = await ports.store.get(refs.run(tenant, id));
  if (run === undefined) return;
  const { outcome } = await ports.store.commit([
    { op: 'delete', ref: run.ref, ifVersion: run.version },
    ...(await releaseName(ports.store, run.data)),
  ]);
  if (outcome === 'conflict') {
    throw new PenstockError('conflict', `run ${id} changed while it was deleted`, { retry: 'later' });
  }
  ports.log.info(`run ${id} is deleted`, { tenant, run: id });
}

/** The same name may be submitted again, as another run: the outside may still know the deleted one by its id. */
async function releaseName(store: Store, { tenant, id, taskRun }: Run): Promise<Write[]> {
  if (taskRun === undefined) return [];
  const { name } = taskRun;
  const newest = await store.get(refs.taskRun(tenant, name));
  if (newest?.data.run !== id) return [];
  const ref = refs.deletedTaskRun(tenant, name);
  const deletions = ((await store.get(ref))?.data.deletions ?? 0) + 1;
  return [
    { op: 'delete', ref: newest.ref, ifVersion: newest.version },
    { op: 'set', ref, data: { v: 1, deletions } },
  ];
}
