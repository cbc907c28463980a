import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DocumentRef, Query, Store } from '../../../shared/ports/store.ts';

export interface StoreUnderTest {
  store: Store;
  /** Where a client library stands between store and server. */
  wire?: Wire;
  close(): Promise<void>;
}

export interface Wire {
  /** The client sends the next commit twice and hears only the second answer. */
  repeatNextCommit(): void;
  /** The next commit is applied, then its connection breaks. */
  loseNextAnswer(): void;
}

export type Document = Record<string, unknown>;

/** What the cases of a contract need: one store for all, and a tenant of its own for each. */
export interface StoreCases {
  store: Store;
  readonly wire: Wire;
  readonly tenant: string;
  refTo: (id: string, collection?: string) => DocumentRef<Document>;
  /** Sets it without a condition; answers its version. */
  put: (id: string, data: Document, collection?: string) => Promise<string>;
  read: (id: string) => Promise<Document | undefined>;
  /** Ids that a query of the tenant's `things` answers. */
  ids: (query: Omit<Query<Document>, 'from' | 'limit'>, limit?: number) => Promise<string[]>;
}

/** Makes the store before the cases of the surrounding `describe` and closes it behind them. */
export function openStoreCases(make: () => Promise<StoreUnderTest>): StoreCases {
  let under: StoreUnderTest;
  let tenant: string;
  beforeAll(async () => {
    under = await make();
  });
  beforeEach(() => {
    tenant = `t-${randomUUID()}`;
  });
  afterAll(async () => {
    await under.close();
  });

  const store: Store = {
    get: (ref) => under.store.get(ref),
    getMany: (refs) => under.store.getMany(refs),
    create: (...args) => under.store.create(...args),
    commit: (writes) => under.store.commit(writes),
    query: (query) => under.store.query(query),
    count: (query) => under.store.count(query),
    sum: (query) => under.store.sum(query),
    watch: (...args) => under.store.watch(...args),
    close: () => under.store.close(),
  };
  const refTo: StoreCases['refTo'] = (id, collection = `tenants/${tenant}/things`) => ({ collection, id });
  return {
    store,
    refTo,
    get wire() {
      if (under.wire === undefined) throw new Error('no wire to disturb');
      return under.wire;
    },
    get tenant() {
      return tenant;
    },
    put: async (id, data, collection) => {
      const result = await store.commit([{ op: 'set', ref: refTo(id, collection), data }]);
      if (result.outcome !== 'committed') throw new Error('the set was not committed');
      return result.versions[0] ?? '';
    },
    read: async (id) => (await store.get(refTo(id)))?.data,
    ids: async (query, limit = 50) => {
      const from = { collection: `tenants/${tenant}/things` };
      const page = await store.query<Document>({ from, limit, ...query });
      return page.documents.map(({ ref }) => ref.id);
    },
  };
}
