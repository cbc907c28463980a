import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  openSqliteDatabase,
  type SqliteDatabase,
} from '../../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore, type SqliteStore } from '../../../../shared/adapters/local/sqlite-store.ts';
import type { DocumentRef } from '../../../../shared/ports/store.ts';

describe('writes of one turn of the event loop', () => {
  let database: SqliteDatabase;
  let store: SqliteStore;
  beforeEach(() => {
    database = openSqliteDatabase({ file: ':memory:' });
    store = createSqliteStore({ database });
    database.exec('CREATE TABLE numbers (n INTEGER PRIMARY KEY)');
  });
  afterEach(() => {
    database.close();
  });

  const ref = (...path: [string] | [string, string]): DocumentRef<{ n: number }> =>
    path.length === 1 ? { collection: 'c', id: path[0] } : { collection: path[0], id: path[1] };
  const insert = (n: number) => database.prepare('INSERT INTO numbers VALUES (?)').run(n).changes;
  const numbers = () =>
    (database.prepare('SELECT n FROM numbers ORDER BY n').all() as unknown as [number][]).map(([n]) => n);

  it('are committed together, in the order of the calls', async () => {
    const before = database.tally.transactions;
    const results = await Promise.all([
      store.create(ref('a'), { n: 1 }),
      store.create(ref('a'), { n: 2 }),
      store.commit([{ op: 'set', ref: ref('a'), data: { n: 3 } }]),
      database.write(() => insert(1)),
    ]);
    expect(results.slice(0, 2)).toEqual(['created', 'exists']);
    expect((await store.get(ref('a')))?.data).toEqual({ n: 3 });
    expect(database.tally.transactions - before).toBe(1);
  });

  it('are not seen before they are committed', async () => {
    const created = store.create(ref('a'), { n: 1 });
    expect(await store.get(ref('a'))).toBeUndefined();
    expect(await store.count({ from: { collection: 'c' } })).toBe(0);
    await created;
    expect((await store.get(ref('a')))?.data).toEqual({ n: 1 });
  });

  it('are taken as they were when they were asked for', async () => {
    const data = { n: 1 };
    const created = store.create(ref('a'), data);
    data.n = 2;
    await created;
    expect((await store.get(ref('a')))?.data).toEqual({ n: 1 });
  });

  it('do not suffer from one of them that fails', async () => {
    const broken = () => {
      insert(2);
      throw new Error('broken');
    };
    const results = await Promise.allSettled([
      store.create(ref('a'), { n: 1 }),
      database.write(() => insert(1)),
      database.write(broken),
      database.write(() => insert(1)),
      database.write(() => insert(3)),
      store.create(ref('new/x/collection', 'b'), { n: 2 }),
    ]);
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(numbers()).toEqual([1, 3]);
    expect((await store.get(ref('a')))?.data).toEqual({ n: 1 });
    expect(database.tally.redone).toBe(6);
    // What was remembered of the transaction that was rolled back is forgotten.
    expect((await store.get(ref('new/x/collection', 'b')))?.data).toEqual({ n: 2 });
  });

  it('are committed in portions, so that many do not hold up everything else', async () => {
    const before = database.tally.transactions;
    const writes = Array.from({ length: 450 }, (_, n) => database.write(() => insert(n)));
    let seen = 0;
    setImmediate(() => setImmediate(() => (seen = numbers().length)));
    await Promise.all(writes);
    expect(database.tally.transactions - before).toBe(3);
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThan(450);
  });

  it('are committed before the database is closed', async () => {
    const created = store.create(ref('a'), { n: 1 });
    await store.close();
    const count = await store.count({ from: { collection: 'c' } });
    database.close();
    expect(count).toBe(1);
    expect(await created).toBe('created');
  });
});
