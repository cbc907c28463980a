import type { Blobs } from '../../ports/blobs.ts';
import type { Store } from '../../ports/store.ts';
import type { Ports } from '../ports.ts';
import { blobPrefixesOf, refs } from '../refs.ts';
import { isTerminal, type Run } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import { finalizersOf } from './finalizers.ts';
import { otherRunsOfName } from './runs-of-name.ts';

/** Deleted at the same time. */
const PAGE = 100;
/** Of one call; the next goes on. */
const MAX_FILES = 2_000;

/**
 * Deletes the blobs of a run. A retry or fork takes over results by reference: what another run still names stays, until that
 * one is deleted and takes along what its owner left behind. Answers whether all is done.
 */
export async function deleteFiles(ports: Pick<Ports, 'store' | 'blobs'>, run: Run): Promise<boolean> {
  const others = (await otherRunsOfName(ports.store, run)).filter(hasFiles);
  if (others.some((other) => isAboutToTakeOver(other, run))) return false;
  const kept = new Set((await Promise.all(others.map((other) => resultKeys(ports.store, other)))).flat());
  for (const key of await resultKeys(ports.store, run)) {
    if (!kept.has(key) && (await isLeftBehind(ports.store, run, key))) await ports.blobs.delete(key);
  }
  return deleteBelow(ports.blobs, blobPrefixesOf(run.tenant, run.id), kept);
}

/** Whether the files of a run are there: all of one that stays, and of one that is being deleted until it has come to them. */
function hasFiles(run: Run): boolean {
  return run.deletingSince === undefined || finalizersOf(run).includes('penstock/files');
}

/** A fork reads the results when its plan is accepted, and not before. */
function isAboutToTakeOver(fork: Run, from: Run): boolean {
  const { run, reuse = [] } = fork.forkedFrom ?? {};
  const isPlanned = fork.history.some(({ state }) => state === 'executing');
  return run === from.id && reuse.length > 0 && !isPlanned && !isTerminal(fork.stage);
}

/** The blobs that the results of a run's tasks name: its own, and those it took over. */
async function resultKeys(store: Store, { tenant, id }: Run): Promise<string[]> {
  const tasks = await readTasks(store, tenant, id);
  return tasks.flatMap(({ result }) =>
    [result?.outputKey, result?.changeSet?.key].filter((key) => key !== undefined),
  );
}

/** Whether a blob is another run's, which is past its files and kept it for this one. */
async function isLeftBehind(store: Store, { tenant, id }: Run, key: string): Promise<boolean> {
  const owner = key.split('/')[OWNER_SEGMENT] ?? '';
  if (owner === id) return false;
  const found = await store.get(refs.run(tenant, owner));
  return found === undefined || !hasFiles(found.data);
}

/** `{tenant}/artifacts/{run}/…` */
const OWNER_SEGMENT = 2;

async function deleteBelow(blobs: Blobs, prefixes: string[], kept: ReadonlySet<string>): Promise<boolean> {
  let deleted = 0;
  for (const prefix of prefixes) {
    let cursor: string | undefined;
    do {
      const page = await blobs.list(prefix, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      const doomed = page.keys.filter((key) => !kept.has(key));
      await Promise.all(doomed.map((key) => blobs.delete(key)));
      deleted += doomed.length;
      cursor = page.cursor;
      if (deleted >= MAX_FILES && cursor !== undefined) return false;
    } while (cursor !== undefined);
  }
  return true;
}
