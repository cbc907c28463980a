import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import {
  openSqliteDatabase,
  type SqliteDatabase,
} from '../../../../shared/adapters/local/sqlite-database.ts';
import type { GroupIndex } from '../../../../shared/adapters/local/sqlite-documents.ts';
import { createSqliteStore } from '../../../../shared/adapters/local/sqlite-store.ts';
import type { Where, Write } from '../../../../shared/ports/store.ts';
import { allPages, randomQueries } from '../../../support/random-queries.ts';
import { storeContract } from '../../../contract/store-contract.ts';
import type { StoreUnderTest } from '../../../contract/store/store-cases.ts';

const INDEXES: GroupIndex[] = [
  { group: 'tasks', scope: 'collection', array: 'dependants', fields: ['settled', 'endedAs'] },
  { group: 'tasks', scope: 'collection', array: 'dependants', fields: ['endedAs'] },
  { group: 'tasks', scope: 'group', fields: ['state', 'rank'] },
  { group: 'things', scope: 'collection', fields: ['field'] },
  { group: 'things', scope: 'collection', fields: ['state', 'rank'] },
  { group: 'things', scope: 'collection', fields: ['state', 'due'] },
  { group: 'things', scope: 'collection', array: 'tags', fields: [] },
  { group: 'things', scope: 'collection', array: 'list', fields: ['flag'] },
  { group: 'things', scope: 'group', array: 'nested', fields: ['size'] },
  { group: 'things', scope: 'collection', array: 'pools', fields: ['state', 'due'] },
];

// oxlint-disable-next-line typescript/require-await
async function make(indexes: GroupIndex[]): Promise<StoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-store-'));
  const database = openSqliteDatabase({ file: join(folder, 'penstock.db'), synchronous: 'normal' });
  const store = createSqliteStore({ database, indexes });
  return {
    store,
    async close() {
      await store.close();
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

storeContract('SQLite without declared indexes', () => make([]), { hasWire: false });
storeContract('SQLite with declared indexes', () => make(INDEXES), { hasWire: false });

describe('the SQLite store', () => {
  let folder: string;
  let database: SqliteDatabase;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'penstock-store-'));
    database = openSqliteDatabase({ file: join(folder, 'deep', 'penstock.db') });
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  const task = (id: string, data: object): Write => ({
    op: 'set',
    ref: { collection: 'runs/r/tasks', id },
    data,
  });
  const contains = {
    from: { collection: 'runs/r/tasks' },
    where: [{ field: 'dependants', op: 'array-contains', value: 'join' }],
  } as const;
  const query = { from: contains.from, where: [...contains.where] };

  it('keeps documents and versions when the file is opened again', async () => {
    const ref = { collection: 'c', id: 'a' };
    await createSqliteStore({ database }).create(ref, { n: 1 });
    const before = await createSqliteStore({ database }).get(ref);
    database.close();
    database = openSqliteDatabase({ file: join(folder, 'deep', 'penstock.db') });
    expect(await createSqliteStore({ database }).get(ref)).toEqual(before);
  });

  it('files arrays that were stored before they were declared, and by processes that do not declare them', async () => {
    const undeclared = createSqliteStore({ database });
    await undeclared.commit([task('old', { dependants: ['join', 'join', ['join'], { join: 1 }] })]);
    const declared = createSqliteStore({ database, indexes: INDEXES });
    expect(await declared.count(query)).toBe(1);
    await undeclared.commit([task('new', { dependants: ['join'] })]);
    expect(await declared.count(query)).toBe(2);
  });

  it('counts the same whether an index of just some values fits or not', async () => {
    const only = { state: ['ready', true, 1, null] };
    const store = createSqliteStore({
      database,
      indexes: [
        { group: 'tasks', scope: 'group', fields: ['state', 'rank'], only },
        { group: 'tasks', scope: 'collection', array: 'dependants', fields: ['state'], only },
      ],
    });
    const states = ['ready', 'ready', 'done', true, false, 1, '1', null];
    await store.commit(states.map((state, n) => task(`t${n}`, { state, rank: n, dependants: ['join'] })));
    await store.commit([task('t1', { state: 'done', rank: 1, dependants: ['join'] }), task('none', {})]);
    const all = ['ready', 'done', true, false, 1, '1'];
    for (const [wanted, expected] of [
      [['ready'], 1],
      [['done'], 2],
      [['ready', 'done'], 3],
      [[true, 1], 2],
      [['1', 1], 2],
      [all, 7],
    ] as [string[], number][]) {
      const where: Where[] = [{ field: 'state', op: 'in', value: wanted }];
      expect(await store.count({ from: { group: 'tasks' }, where })).toBe(expected);
      expect(await store.count({ from: query.from, where: [...query.where, ...where] })).toBe(expected);
      const page = await store.query({
        from: { group: 'tasks' },
        where,
        limit: 10,
        orderBy: { field: 'rank' as never },
      });
      expect(page.documents).toHaveLength(expected);
    }
    const isNull: Where[] = [{ field: 'state', op: '==', value: null }];
    expect(await store.count({ from: { group: 'tasks' }, where: isNull })).toBe(1);
  });

  it('answers random queries with indexes as without', async () => {
    const indexes: GroupIndex[] = [
      { group: 'docs', scope: 'group', fields: ['a', 'b'] },
      { group: 'docs', scope: 'collection', fields: ['b'] },
      { group: 'docs', scope: 'group', fields: ['a'], only: { a: [1, true, 'a', ''] } },
      { group: 'docs', scope: 'collection', array: 'list', fields: ['a'] },
      { group: 'docs', scope: 'group', array: 'list', fields: ['b'], only: { b: [1, 0, 'aa'] } },
    ];
    const other = openSqliteDatabase({ file: ':memory:' });
    const stores = [createSqliteStore({ database }), createSqliteStore({ database: other, indexes })];
    const seed = Number(process.env['PENSTOCK_SEED'] ?? Date.now() % 1_000_000);
    const random = randomQueries(seed);
    for (let turn = 0; turn < 120; turn += 1) {
      if (turn % 30 === 0) {
        // Sets the same ids again, so that keys change.
        const writes = random.writes();
        for (const store of stores) await store.commit(writes);
      }
      const asked = random.query();
      const upTo = asked.limit;
      const [expected, answered] = await Promise.all(
        stores.map(async (store) => ({
          ids: await allPages(store, asked),
          count: await store.count({ from: asked.from, where: asked.where ?? [] }),
          upTo: await store.count({ from: asked.from, where: asked.where ?? [], upTo }),
        })),
      );
      expect({ seed, asked, ...answered }).toEqual({ seed, asked, ...expected });
    }
    other.close();
  });

  it('tells its rows changed from those of the index of arrays and of names', async () => {
    const store = createSqliteStore({ database, indexes: INDEXES });
    const before = { ...database.tally, total: database.totalChanges() };
    await store.commit([task('a', { dependants: ['x', 'y'] }), task('b', { dependants: ['x'] })]);
    await store.commit([task('a', { dependants: ['x', 'y'], settled: true })]);
    await store.commit([task('b', { dependants: [] }), task('c', {})]);
    await store.create({ collection: 'things', id: 'a' }, {}, { expireAt: 1 });
    expect(await store.purgeExpired(1)).toBe(1);
    await store.commit([{ op: 'delete', ref: { collection: 'runs/r/tasks', id: 'a' } }]);
    const after = { ...database.tally, total: database.totalChanges() };
    const grown = (of: keyof typeof after) => after[of] - before[of];
    expect(grown('documents')).toBe(8);
    expect(grown('items')).toBe(3 + 2 + 1 + 2);
    expect(grown('names')).toBe(2);
    expect(grown('total')).toBe(grown('documents') + grown('items') + grown('deliveries') + grown('names'));
  });

  it('counts 200 finished branches of a join among 10,000 tasks in a few milliseconds', async () => {
    const store = createSqliteStore({ database, indexes: INDEXES });
    for (let run = 0; run < 50; run += 1) {
      await store.commit(
        Array.from({ length: 200 }, (_, n): Write => ({
          op: 'set',
          ref: { collection: `runs/${run === 0 ? 'r' : run}/tasks`, id: `t${n}` },
          data: { dependants: ['join'], settled: true, text: 'x'.repeat(500) },
        })),
      );
    }
    const started = performance.now();
    for (let turn = 0; turn < 20; turn += 1) {
      expect(
        await store.count({
          from: query.from,
          where: [...query.where, { field: 'settled', op: '==', value: true }],
        }),
      ).toBe(200);
    }
    expect((performance.now() - started) / 20).toBeLessThan(20);
  });

  it('purges what has expired, in bounded portions, and tells who watches', async () => {
    const store = createSqliteStore({ database });
    const ref = (id: string) => ({ collection: 'deliveries', id });
    for (const [id, expireAt] of [
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ] as const)
      await store.create(ref(id), {}, { expireAt });
    await store.create(ref('kept'), {});
    const gone = new Promise<void>((resolve) => {
      store.watch(ref('a'), (document) => document === undefined && resolve());
    });
    expect(await store.purgeExpired(20, 1)).toBe(1);
    expect(await store.purgeExpired(20)).toBe(1);
    expect(await store.purgeExpired(20)).toBe(0);
    await gone;
    const left = await store.query({ from: { collection: 'deliveries' }, limit: 10 });
    expect(left.documents.map((document) => document.ref.id)).toEqual(['c', 'kept']);
  });

  it('forgets the expiry when a document is set without one', async () => {
    const store = createSqliteStore({ database });
    const ref = { collection: 'deliveries', id: 'a' };
    await store.create(ref, {}, { expireAt: 10 });
    await store.commit([{ op: 'set', ref, data: {} }]);
    expect(await store.purgeExpired(100)).toBe(0);
  });

  it('refuses a file of an earlier version, and says what to do', () => {
    const file = join(folder, 'earlier.db');
    const earlier = new DatabaseSync(file);
    earlier.exec('CREATE TABLE documents (number INTEGER PRIMARY KEY, path TEXT)');
    earlier.close();
    expect(() => openSqliteDatabase({ file })).toThrow(
      /earlier\.db was made by an earlier version.*move it away/,
    );
    expect(() => openSqliteDatabase({ file })).toThrow(expect.objectContaining({ code: 'config' }));
  });

  it('says that another process holds the file, and that a later try may do', async () => {
    const store = createSqliteStore({ database });
    const impatient = openSqliteDatabase({ file: database.file, busyTimeoutMs: 10 });
    const other = createSqliteStore({ database: impatient });
    database.exec('BEGIN IMMEDIATE');
    await expect(other.create({ collection: 'c', id: 'a' }, {})).rejects.toMatchObject({
      code: 'unavailable',
      retry: 'later',
    });
    database.exec('ROLLBACK');
    expect(await other.create({ collection: 'c', id: 'a' }, {})).toBe('created');
    expect(await store.get({ collection: 'c', id: 'a' })).toBeDefined();
    impatient.close();
  });

  it('refuses to index names that cannot stand in SQL', () => {
    expect(() =>
      createSqliteStore({ database, indexes: [{ group: "x'", scope: 'group', fields: ['a'] }] }),
    ).toThrow(/indexed/);
    expect(() =>
      createSqliteStore({ database, indexes: [{ group: 'x', scope: 'group', array: 'a"b', fields: [] }] }),
    ).toThrow(/indexed/);
  });
});
