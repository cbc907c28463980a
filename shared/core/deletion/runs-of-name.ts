import { MAX_PAGE, type Store } from '../../ports/store.ts';
import { runsOf } from '../refs.ts';
import type { Run } from '../run.ts';

/** All other runs of a run's TaskRun name: what it was retried and forked as, and what else was submitted under it. */
export async function otherRunsOfName(store: Store, run: Run): Promise<Run[]> {
  const found: Run[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.query<Run>({
      from: { collection: runsOf(run.tenant) },
      // The title of such a run is its name; a query cannot look into `taskRun`.
      where: [{ field: 'title', op: '==', value: run.title }],
      limit: MAX_PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.documents.map(({ data }) => data));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found.filter(({ id, taskRun }) => id !== run.id && taskRun?.name === run.taskRun?.name);
}

/** Of two runs always one is the earlier. */
export function isEarlier(one: Run, other: Run): boolean {
  return one.createdAt === other.createdAt ? one.id < other.id : one.createdAt < other.createdAt;
}
