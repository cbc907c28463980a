import type { DocumentRef, Store, Versioned, Write } from '../ports/store.ts';
import { PenstockError } from '../ports/penstock-error.ts';

/** Concurrent writers of one record are few; more tries than this mean that something is wrong. */
const MAX_TRIES = 8;

/** What a decision wants written; `also` is committed with it. */
export interface Change<T extends object> {
  data: T;
  also?: Write[];
}

/**
 * Read, decide, compare-and-set, and again on a conflict. `decide` answering `undefined` leaves the record as it is.
 * `known` saves the first read. Answers the record as it stands afterwards and whether this call changed it.
 */
export async function change<T extends object>(
  store: Store,
  ref: DocumentRef<T>,
  decide: (data: T) => Change<T> | undefined,
  known?: Versioned<T>,
): Promise<{ data: T; version: string; changed: boolean }> {
  let current = known;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    current ??= await store.get(ref);
    if (current === undefined) {
      throw new PenstockError(
        'not_found',
        `${ref.collection}/${ref.id} does not exist; it may have been deleted`,
      );
    }
    const next = decide(current.data);
    if (next === undefined) return { data: current.data, version: current.version, changed: false };
    const result = await store.commit([
      { op: 'set', ref, data: next.data, ifVersion: current.version },
      ...(next.also ?? []),
    ]);
    if (result.outcome === 'committed') {
      return { data: next.data, version: result.versions[0] ?? '', changed: true };
    }
    current = undefined;
  }
  throw new PenstockError('conflict', `${ref.collection}/${ref.id} kept changing; try again`, {
    retry: 'later',
  });
}
