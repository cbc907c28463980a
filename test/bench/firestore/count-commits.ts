import { subscribe } from 'node:diagnostics_channel';
import type { Store } from '../../../shared/ports/store.ts';
import type { FunctionBill } from './function-questions.ts';

const COMMIT = '/google.firestore.v1.Firestore/Commit';

/** Counts the commits that leave this process, below every library: a repetition is seen, whoever makes it. */
export function countCommitRequests(bill: Pick<FunctionBill, 'commitRequests'>): void {
  subscribe('http2.client.stream.created', (message) => {
    const { headers } = message as { headers: Record<string, unknown> };
    if (headers[':path'] === COMMIT) bill.commitRequests += 1;
  });
}

/** Counts the commits that were applied. */
export function countCommits(bill: Pick<FunctionBill, 'commits'>, store: Store): Store {
  return {
    ...store,
    create: async (ref, data, options) => {
      const outcome = await store.create(ref, data, options);
      if (outcome === 'created') bill.commits += 1;
      return outcome;
    },
    commit: async (writes) => {
      const result = await store.commit(writes);
      if (result.outcome === 'committed') bill.commits += 1;
      return result;
    },
  };
}
