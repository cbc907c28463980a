import { Firestore } from '@google-cloud/firestore';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createFirestoreStore } from '../../../../shared/adapters/google/firestore-store.ts';
import { openSqliteDatabase } from '../../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../../shared/adapters/local/sqlite-store.ts';
import { storeContract, type StoreUnderTest, type Wire } from '../../../contract/store-contract.ts';
import { allPages, randomQueries } from '../../../support/random-queries.ts';
import { startEmulators, type Emulators } from '../../../support/emulators.ts';
import { group } from '../../../support/groups.ts';

group('emulators')('Firestore', () => {
  let emulators: Emulators;
  beforeAll(async () => {
    emulators = await startEmulators(['firestore']);
  }, 60_000);
  afterAll(async () => {
    await emulators.stop();
  });

  // oxlint-disable-next-line typescript/require-await
  storeContract('Firestore', async () => disturbable(connect()), { hasWire: true });

  it('answers random queries page by page like the SQLite store', async () => {
    const database = openSqliteDatabase({ file: ':memory:' });
    const stores = [createFirestoreStore({ firestore: connect() }), createSqliteStore({ database })];
    const seed = Number(process.env['PENSTOCK_SEED'] ?? Date.now() % 1_000_000);
    const random = randomQueries(seed);
    const writes = random.writes();
    for (const store of stores) await store.commit(writes);
    let found = 0;
    for (let turn = 0; turn < 150; turn += 1) {
      const query = random.query();
      const [google = [], local = []] = await Promise.all(stores.map((store) => allPages(store, query)));
      const [count = -1, localCount] = await Promise.all(stores.map((store) => store.count(query)));
      expect({ seed, query, ids: local, count: localCount }).toEqual({ seed, query, ids: google, count });
      const aggregates = await Promise.all(
        stores.map(async (store) => [
          await store.count({ from: query.from, where: query.where ?? [], upTo: query.limit }),
          // Rounded: of 2 ** 53 and smaller numbers the sum depends on their order.
          Math.fround(await store.sum({ from: query.from, where: query.where ?? [], field: 'a' })),
        ]),
      );
      expect({ seed, query, of: aggregates[1] }).toEqual({ seed, query, of: aggregates[0] });
      // A sort leaves out documents without its field, a count knows of no sort.
      if (query.orderBy === undefined) expect(count).toBe(google.length);
      found += google.length;
    }
    expect(found).toBeGreaterThan(150);
    await Promise.all(stores.map((store) => store.close()));
    database.close();
  });

  it('hides its own fields from readers and keeps them in the document', async () => {
    const firestore = connect();
    const store = createFirestoreStore({ firestore });
    const ref = { collection: 'c', id: 'a' };
    await store.create(ref, { n: 1 }, { expireAt: 1_900_000_000_123 });
    const stored = (await firestore.doc('c/a').get()).data() ?? {};
    expect(Object.keys(stored).toSorted()).toEqual(['_penstockExpireAt', '_penstockWriteId', 'n']);
    expect(stored['_penstockExpireAt'].toMillis()).toBe(1_900_000_000_123);
    const found = await store.get(ref);
    expect(found?.data).toEqual({ n: 1 });
    await store.commit([{ op: 'set', ref, data: { n: 2 }, ifVersion: found?.version ?? '' }]);
    expect(Object.keys((await firestore.doc('c/a').get()).data() ?? {}).toSorted()).toEqual([
      '_penstockWriteId',
      'n',
    ]);
    await store.close();
  });

  it('recognises its commit when another write followed before it could look', async () => {
    const firestore = connect();
    const store = createFirestoreStore({ firestore });
    const [a, b] = [
      { collection: 'c', id: 'a' },
      { collection: 'c', id: 'b' },
    ];
    intercept(firestore, async (send) => {
      await send();
      await firestore.doc('c/a').set({ by: 'other' });
      throw Object.assign(new Error('connection reset'), { code: 14 });
    });
    const result = await store.commit([
      { op: 'create', ref: a, data: {} },
      { op: 'create', ref: b, data: {} },
    ]);
    expect(result).toEqual({ outcome: 'committed', versions: ['superseded', (await store.get(b))?.version] });
    const stale = await store.commit([{ op: 'set', ref: a, data: {}, ifVersion: 'superseded' }]);
    expect(stale.outcome).toBe('conflict');
    await store.close();
  });

  it('tries a commit once more that a passing fault kept from being applied', async () => {
    const firestore = connect();
    const store = createFirestoreStore({ firestore });
    intercept(firestore, () => Promise.reject(Object.assign(new Error('no connection'), { code: 14 })));
    expect(await store.create({ collection: 'c', id: 'again' }, {})).toBe('created');
    await store.close();
  });

  it('reports a commit that was not applied as an error that may be tried later', async () => {
    const firestore = connect();
    const store = createFirestoreStore({ firestore });
    const fail = () => Promise.reject(Object.assign(new Error('no connection'), { code: 14 }));
    intercept(firestore, () => {
      intercept(firestore, fail);
      return fail();
    });
    const commit = store.create({ collection: 'c', id: 'a' }, {});
    await expect(commit).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    expect(await store.get({ collection: 'c', id: 'a' })).toBeUndefined();
    await store.close();
  });

  it('names the role to grant when it is not allowed', async () => {
    const firestore = connect();
    const store = createFirestoreStore({ firestore });
    intercept(firestore, () => Promise.reject(Object.assign(new Error('PERMISSION_DENIED'), { code: 7 })));
    const commit = store.create({ collection: 'c', id: 'a' }, {});
    await expect(commit).rejects.toMatchObject({ code: 'forbidden', retry: 'never' });
    await expect(commit).rejects.toThrow(/roles\/datastore\.user/);
    await store.close();
  });

  it('gives up on a call without an answer', async () => {
    const firestore = connect();
    const store = createFirestoreStore({ firestore, timeoutMs: 2000 });
    await store.get({ collection: 'c', id: 'warm' });
    intercept(firestore, () => new Promise(() => undefined));
    const commit = store.create({ collection: 'c', id: 'a' }, {});
    await expect(commit).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
    await store.close();
  });
});

function connect(): Firestore {
  return new Firestore({ projectId: `penstock-${randomUUID().slice(0, 8)}` });
}

type Request = (method: string, ...others: unknown[]) => Promise<unknown>;

/** Stands between the client library and the server, for the next commit only. */
function intercept(
  firestore: Firestore,
  disturbance: (send: () => Promise<unknown>) => Promise<unknown>,
): void {
  const wire = firestore as unknown as { request: Request };
  const request = wire.request.bind(firestore);
  wire.request = (method, ...others) => {
    if (method !== 'commit') return request(method, ...others);
    wire.request = request;
    return disturbance(() => request(method, ...others));
  };
}

function disturbable(firestore: Firestore): StoreUnderTest {
  const store = createFirestoreStore({ firestore });
  const wire: Wire = {
    repeatNextCommit: () =>
      intercept(firestore, async (send) => {
        await send().catch(() => undefined);
        return send();
      }),
    loseNextAnswer: () =>
      intercept(firestore, async (send) => {
        await send();
        throw Object.assign(new Error('connection reset'), { code: 14 });
      }),
  };
  return { store, wire, close: () => store.close() };
}
