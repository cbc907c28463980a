import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  createFirestoreClient,
  type FirestoreClient,
} from '../../../../shared/adapters/google/firestore-client.ts';
import { createFirestoreStore } from '../../../../shared/adapters/google/firestore-store.ts';
import { openSqliteDatabase } from '../../../../shared/adapters/local/sqlite-database.ts';
import type { Repeat } from '../../../../shared/adapters/google/repeat-request.ts';
import { createSqliteStore } from '../../../../shared/adapters/local/sqlite-store.ts';
import { storeContract } from '../../../contract/store-contract.ts';
import type { StoreUnderTest, Wire } from '../../../contract/store/store-cases.ts';
import { allPages, randomQueries } from '../../../support/random-queries.ts';
import { startEmulators, type Emulators } from '../../../support/emulators.ts';
import { group } from '../../../support/groups.ts';

group('emulators')('Firestore', () => {
  let emulators: Emulators;
  beforeAll(async () => {
    emulators = await startEmulators(['firestore']);
  }, 300_000);
  afterAll(async () => {
    await emulators.stop();
  });

  // oxlint-disable-next-line typescript/require-await
  storeContract('Firestore', async () => disturbable(), { hasWire: true });

  it('answers random queries page by page like the SQLite store', async () => {
    const database = openSqliteDatabase({ file: ':memory:' });
    const stores = [createFirestoreStore({ client: connect() }), createSqliteStore({ database })];
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
    const { store, stored } = open();
    const ref = { collection: 'c', id: 'a' };
    await store.create(ref, { n: 1 }, { expireAt: 1_900_000_000_123 });
    expect(await stored('c/a')).toMatchObject({
      _penstockExpireAt: { timestampValue: { seconds: '1900000000', nanos: 123_000_000 } },
      _penstockWriteId: { stringValue: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      n: { integerValue: '1' },
    });
    const found = await store.get(ref);
    expect(found?.data).toEqual({ n: 1 });
    await store.commit([{ op: 'set', ref, data: { n: 2 }, ifVersion: found?.version ?? '' }]);
    expect(Object.keys(await stored('c/a')).toSorted()).toEqual(['_penstockWriteId', 'n']);
    await store.close();
  });

  it('has a version for each write, although Firestore keeps the time of a write that changes nothing', async () => {
    const { client, store } = open();
    const write = { update: { name: `${client.root}/c/bare`, fields: { n: { integerValue: 1 } } } };
    const [first] = await client.commit([write], never);
    const [second] = await client.commit([write], never);
    expect(second).toEqual(first);
    const data = { n: 1 };
    const versions = new Set<string>();
    for (let turn = 0; turn < 20; turn += 1) {
      const result = await store.commit([{ op: 'set', ref: { collection: 'c', id: 'ours' }, data }]);
      versions.add(result.outcome === 'committed' ? (result.versions[0] ?? '') : '');
    }
    expect(versions.size).toBe(20);
    await store.close();
  });

  it('recognises its commit when another write followed before it could look', async () => {
    const { store, armed } = open();
    const [a, b] = [
      { collection: 'c', id: 'a' },
      { collection: 'c', id: 'b' },
    ];
    armed.push(async (send) => {
      await send();
      await store.commit([{ op: 'set', ref: a, data: { by: 'other' } }]);
      throw lost();
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

  it('sends a commit again that a passing fault kept from being applied, and tells of it', async () => {
    const { store, repeats, armed } = open();
    armed.push(() => Promise.reject(lost()));
    expect(await store.create({ collection: 'c', id: 'again' }, {})).toBe('created');
    expect(repeats).toEqual([{ what: 'commit of c/again', code: 14 }]);
    await store.close();
  });

  it('answers each of those who ask the same query at the same time with documents of its own', async () => {
    const { store } = open();
    await store.create({ collection: 'c', id: 'a' }, { list: [1] });
    const query = () => store.query<{ list: number[] }>({ from: { collection: 'c' }, limit: 10 });
    const pages = await Promise.all([query(), query(), query()]);
    for (const { documents } of pages) documents[0]?.data.list.push(2);
    expect(pages.map(({ documents }) => documents[0]?.data)).toEqual(pages.map(() => ({ list: [1, 2] })));
    await store.close();
  });

  it('counts once for all who ask the same at the same time, and for each what was there before', async () => {
    const { client, store } = open();
    let requests = 0;
    const aggregate = client.aggregate.bind(client);
    client.aggregate = (...args) => {
      requests += 1;
      return aggregate(...args);
    };
    const count = () =>
      store.count({ from: { collection: 'c' }, where: [{ field: 'n', op: '>=', value: 0 }] });
    let created = 0;
    await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        await store.create({ collection: 'c', id: `d${n}` }, { n });
        created += 1;
        const before = created;
        for (const seen of await Promise.all([count(), count()])) {
          expect(seen).toBeGreaterThanOrEqual(before);
        }
      }),
    );
    expect(requests).toBeLessThan(60);
    await store.close();
  });
});

const never = new AbortController().signal;

function connect(): FirestoreClient {
  return createFirestoreClient({
    projectId: `penstock-${randomUUID().slice(0, 8)}`,
    emulatorHost: process.env['FIRESTORE_EMULATOR_HOST'],
  });
}

type Answer = ReturnType<FirestoreClient['commit']>;
/** Stands between the store and the client, for one commit. */
type Disturbance = (send: () => Answer) => Answer;

function open() {
  const client = connect();
  const armed: Disturbance[] = [];
  const commit = client.commit.bind(client);
  client.commit = (...args) => {
    const disturb = armed.shift();
    return disturb === undefined ? commit(...args) : disturb(() => commit(...args));
  };
  const repeats: Repeat[] = [];
  const store = createFirestoreStore({ client, onRepeat: (repeat) => repeats.push(repeat) });
  const stored = async (path: string) =>
    (await client.getDocuments([`${client.root}/${path}`], never))[0]?.fields ?? {};
  return { client, store, repeats, stored, armed };
}

const lost = (): Error => Object.assign(new Error('connection reset'), { code: 14 });

function disturbable(): StoreUnderTest {
  const { store, armed } = open();
  const wire: Wire = {
    repeatNextCommit: () =>
      armed.push(async (send) => {
        await send().catch(() => undefined);
        return send();
      }),
    loseNextAnswer: () =>
      armed.push(async (send) => {
        await send();
        throw lost();
      }),
  };
  return { store, wire, close: () => store.close() };
}
