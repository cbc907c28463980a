import { MAX_PAGE, type Store, type Where } from '../../ports/store.ts';
import { decisionsOf, lettersOf, collectionsOf } from '../refs.ts';

/** Of one call; the next goes on. */
const MAX_BATCHES = 20;

/** Deletes everything recorded below a run or about it, but not the run itself. Answers whether nothing is left. */
export async function deleteRecords(
  store: Store,
  { tenant, id }: { tenant: string; id: string },
): Promise<boolean> {
  const about: Where = { field: 'run', op: '==', value: id };
  const places: [collection: string, where: Where[]][] = [
    ...collectionsOf(tenant, id).map((collection): [string, Where[]] => [collection, []]),
    [decisionsOf(tenant), [about]],
    [lettersOf(tenant), [about]],
  ];
  for (const [collection, where] of places) {
    if (!(await empty(store, collection, where))) return false;
  }
  return true;
}

async function empty(store: Store, collection: string, where: Where[]): Promise<boolean> {
  for (let batches = 0; batches < MAX_BATCHES; batches += 1) {
    const { documents } = await store.query({ from: { collection }, where, limit: MAX_PAGE });
    if (documents.length === 0) return true;
    // Whether it is told as committed or not: what is still there is found by the next look.
    await store.commit(documents.map(({ ref }) => ({ op: 'delete', ref })));
  }
  return false;
}
