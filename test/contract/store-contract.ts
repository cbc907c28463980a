import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DocumentRef, Query, Store, Versioned, Where, Write } from '../../shared/ports/store.ts';
import { MAX_COMMIT_WRITES, MAX_DOCUMENT_BYTES, MAX_PAGE } from '../../shared/ports/store.ts';
import { allPages } from '../support/random-queries.ts';

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

type Document = Record<string, unknown>;

/**
 * What every store does, whatever it is made of. Each case has collections of its own. `hasWire`: the store talks to a
 * server, so that answers can get lost.
 */
export function storeContract(
  name: string,
  make: () => Promise<StoreUnderTest>,
  { hasWire }: { hasWire: boolean },
): void {
  describe(`${name} as a store`, () => {
    let under: StoreUnderTest;
    let store: Store;
    let tenant: string;

    beforeAll(async () => {
      under = await make();
      store = under.store;
    });
    beforeEach(() => {
      tenant = `t-${randomUUID()}`;
    });
    afterAll(async () => {
      await under.close();
    });

    const refTo = (id: string, collection = `tenants/${tenant}/things`): DocumentRef<Document> => ({
      collection,
      id,
    });
    const put = async (id: string, data: Document, collection?: string): Promise<string> => {
      const result = await store.commit([{ op: 'set', ref: refTo(id, collection), data }]);
      if (result.outcome !== 'committed') throw new Error('the set was not committed');
      return result.versions[0] ?? '';
    };
    const read = async (id: string): Promise<Document | undefined> => (await store.get(refTo(id)))?.data;
    const ids = async (query: Omit<Query<Document>, 'from' | 'limit'>, limit = 50): Promise<string[]> => {
      const page = await store.query<Document>({
        from: { collection: `tenants/${tenant}/things` },
        limit,
        ...query,
      });
      return page.documents.map(({ ref }) => ref.id);
    };

    describe('one document', () => {
      it('is absent before it is created', async () => {
        expect(await store.get(refTo('none'))).toBeUndefined();
      });

      it('comes back as it was written, with its place and a version', async () => {
        expect(await store.create(refTo('a'), { title: 'one' })).toBe('created');
        const found = await store.get(refTo('a'));
        expect(found).toEqual({ ref: refTo('a'), data: { title: 'one' }, version: expect.any(String) });
      });

      it('is created once: a second create changes nothing', async () => {
        await store.create(refTo('a'), { by: 'first' });
        expect(await store.create(refTo('a'), { by: 'second' })).toBe('exists');
        expect(await read('a')).toEqual({ by: 'first' });
      });

      it('is created by exactly one of many at once', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, by) => store.create(refTo('a'), { by })),
        );
        expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
        expect(await read('a')).toEqual({ by: outcomes.indexOf('created') });
      });

      it('is replaced as a whole by a set', async () => {
        await put('a', { old: 1, both: 1 });
        await put('a', { both: 2, new: 2 });
        expect(await read('a')).toEqual({ both: 2, new: 2 });
      });

      it('is not touched when a reader changes what it got', async () => {
        const mine = { list: [1], inner: { n: 1 } };
        await put('a', mine);
        mine.list.push(2);
        const got = await read('a');
        Object.assign(got?.['inner'] ?? {}, { n: 99 });
        expect(await read('a')).toEqual({ list: [1], inner: { n: 1 } });
      });

      it('lives on while it expires in the future, and hides when', async () => {
        await store.create(refTo('a'), { n: 1 }, { expireAt: Date.now() + 3_600_000 });
        expect(await read('a')).toEqual({ n: 1 });
      });
    });

    describe('content', () => {
      const contents: Record<string, Document> = {
        'every JSON type': {
          s: 'ä😀',
          n: 1.5,
          i: 7,
          big: 2 ** 60,
          tiny: 5e-324,
          t: true,
          f: false,
          z: null,
          o: {},
          l: [],
        },
        'arrays in arrays': { plan: [['a', 'b'], [[1], []], { x: [[2]] }, []] },
        'nested objects and arrays of objects': { a: { b: { c: [{ d: 1 }, { d: [{ e: null }] }] } } },
        'names that mean something elsewhere': JSON.parse(
          '{"__proto__":{"x":1},"__name__":2,"constructor":3,"toString":4,"":5,"_penstockJson":"[1]","_penstockWriteId":"mine","_penstock:x":6,"inner":{"__proto__":7,"__y__":8,"":9,"_penstockJson":"{"}}',
        ) as Document,
        'names with dots, quotes, slashes and spaces': {
          'a.b': 1,
          'c"d': 2,
          "e'f": 3,
          'g/h': 4,
          ' i j ': 5,
          '`k`': 6,
          'l\\m': 7,
          'n[0]': 8,
          $: 9,
          '*': { '~': 10 },
          ä: 11,
        },
        'awkward strings': {
          nul: 'a\u0000b',
          line: 'a\nb\u2028',
          escape: '\\"\u001b',
          empty: '',
          sql: "'; DROP TABLE x",
        },
        'an empty document': {},
      };
      for (const [what, content] of Object.entries(contents)) {
        it(`comes back exactly: ${what}`, async () => {
          await put('a', content);
          const found = await store.get(refTo('a'));
          expect(JSON.stringify(sorted(found?.data))).toBe(JSON.stringify(sorted(content)));
        });

        it(`is replaced exactly under a version: ${what}`, async () => {
          const version = await put('a', { before: 1, 'be.fore': 2, __x__: 3 });
          const result = await store.commit([
            { op: 'set', ref: refTo('a'), data: content, ifVersion: version },
          ]);
          expect(result.outcome).toBe('committed');
          expect(JSON.stringify(sorted(await read('a')))).toBe(JSON.stringify(sorted(content)));
        });
      }

      it('comes back exactly: 90 levels', async () => {
        let deep: unknown = 'bottom';
        for (let level = 0; level < 90; level += 1) deep = level % 3 === 0 ? [deep] : { deep };
        await put('a', { deep });
        expect(await read('a')).toEqual({ deep });
      });

      it.each([
        ['undefined', { a: undefined }],
        ['not a number', { a: Number.NaN }],
        ['a date', { a: new Date(0) }],
        ['a function', { a: () => 1 }],
        ['a map', { a: new Map() }],
        ['half a surrogate pair', { a: '\ud800' }],
        ['an array', [1]],
        ['101 levels', { a: JSON.parse('['.repeat(101) + ']'.repeat(101)) as unknown }],
        ['a name of 1,001 bytes', { ['x'.repeat(1001)]: 1 }],
      ])('is refused as invalid: %s', async (_what, data) => {
        await expect(store.create(refTo('a'), data as Document)).rejects.toMatchObject({ code: 'invalid' });
        await expect(store.commit([{ op: 'set', ref: refTo('a'), data }])).rejects.toMatchObject({
          code: 'invalid',
        });
        expect(await store.get(refTo('a'))).toBeUndefined();
      });

      it('is refused as too large above the limit in UTF-8 bytes, and stored at the limit', async () => {
        const empty = Buffer.byteLength(JSON.stringify({ text: '' }));
        const room = MAX_DOCUMENT_BYTES - empty;
        const fitting = 'ä'.repeat(Math.floor(room / 2)) + 'x'.repeat(room % 2);
        expect(await store.create(refTo('fits'), { text: fitting })).toBe('created');
        const refused = store.create(refTo('larger'), { text: `${fitting}x` });
        await expect(refused).rejects.toMatchObject({
          name: 'PenstockError',
          code: 'too_large',
          retry: 'never',
        });
        await expect(refused).rejects.toThrow(/larger.*Blobs/);
      });
    });

    describe('places', () => {
      it.each(['a b', 'a.b', 'ä', '%2F', "it's", '__x', '-', 'x'.repeat(900)])(
        'takes the id %j',
        async (id) => {
          await put(id, { id });
          expect(await read(id)).toEqual({ id });
          expect(await ids({})).toEqual([id]);
        },
      );

      it.each(['', '.', '..', 'a/b', '__id__', 'a\nb', '\ud800', 'x'.repeat(1001)])(
        'refuses the id %j',
        async (id) => {
          await expect(store.get(refTo(id))).rejects.toMatchObject({ code: 'invalid' });
          await expect(store.create(refTo(id), {})).rejects.toMatchObject({ code: 'invalid' });
        },
      );

      it.each(['a/b', '', 'a//b', '../b/c'])('refuses the collection %j', async (collection) => {
        await expect(store.get(refTo('x', collection))).rejects.toMatchObject({ code: 'invalid' });
        await expect(store.count({ from: { collection } })).rejects.toMatchObject({ code: 'invalid' });
      });
    });

    describe('getMany', () => {
      it('answers in the order asked for, with gaps and repeats', async () => {
        await put('a', { n: 1 });
        await put('b', { n: 2 });
        const found = await store.getMany([refTo('b'), refTo('none'), refTo('a'), refTo('b')]);
        expect(found.map((document) => document?.data['n'])).toEqual([2, undefined, 1, 2]);
      });

      it('answers nothing for nothing and refuses more than a page', async () => {
        expect(await store.getMany([])).toEqual([]);
        const refs = Array.from({ length: MAX_PAGE + 1 }, (_, n) => refTo(`d${n}`));
        await expect(store.getMany(refs)).rejects.toMatchObject({ code: 'too_large' });
      });
    });

    describe('commit', () => {
      it('answers versions that hold until the next write', async () => {
        const first = await put('a', { n: 1 });
        expect((await store.get(refTo('a')))?.version).toBe(first);
        const result = await store.commit([{ op: 'set', ref: refTo('a'), data: { n: 2 }, ifVersion: first }]);
        const second = (await store.get(refTo('a')))?.version ?? '';
        expect(result).toEqual({ outcome: 'committed', versions: [second] });
        expect(second).not.toBe(first);
        const third = await store.commit([{ op: 'set', ref: refTo('a'), data: { n: 3 }, ifVersion: second }]);
        expect(third.outcome).toBe('committed');
      });

      it('changes the version also when the content stays the same', async () => {
        const first = await put('a', { n: 1 });
        const second = await put('a', { n: 1 });
        expect(second).not.toBe(first);
        const stale = await store.commit([{ op: 'set', ref: refTo('a'), data: { n: 9 }, ifVersion: first }]);
        expect(stale).toEqual({ outcome: 'conflict' });
      });

      it('removes fields that a conditional set no longer has', async () => {
        const version = await put('a', { keep: 1, drop: 2, 'dr.op': 3, inner: { drop: 4 } });
        await store.commit([
          { op: 'set', ref: refTo('a'), data: { keep: 1, inner: {} }, ifVersion: version },
        ]);
        expect(await read('a')).toEqual({ keep: 1, inner: {} });
      });

      it('is a conflict with a version of before, of nowhere, or of what is gone', async () => {
        const old = await put('a', { n: 1 });
        const current = await put('a', { n: 2 });
        const set = (id: string, ifVersion: string): Write => ({
          op: 'set',
          ref: refTo(id),
          data: { n: 9 },
          ifVersion,
        });
        for (const version of [old, 'nonsense', '']) {
          expect(await store.commit([set('a', version)])).toEqual({ outcome: 'conflict' });
          expect(await store.commit([{ op: 'delete', ref: refTo('a'), ifVersion: version }])).toEqual({
            outcome: 'conflict',
          });
        }
        expect(await store.commit([set('never', current)])).toEqual({ outcome: 'conflict' });
        expect(await read('a')).toEqual({ n: 2 });
        expect(await read('never')).toBeUndefined();
      });

      it('does not take a document made again for the one before it', async () => {
        const before = await put('a', { n: 1 });
        await store.commit([{ op: 'delete', ref: refTo('a') }]);
        await put('a', { n: 1 });
        const stale = await store.commit([{ op: 'set', ref: refTo('a'), data: { n: 9 }, ifVersion: before }]);
        expect(stale.outcome).toBe('conflict');
        expect((await store.commit([{ op: 'delete', ref: refTo('a'), ifVersion: before }])).outcome).toBe(
          'conflict',
        );
        expect(await read('a')).toEqual({ n: 1 });
      });

      it('applies all of its writes, with versions in their order', async () => {
        const [a, b] = [await put('a', { n: 1 }), await put('b', { n: 1 })];
        const result = await store.commit([
          { op: 'create', ref: refTo('c'), data: { n: 3 } },
          { op: 'delete', ref: refTo('b'), ifVersion: b },
          { op: 'set', ref: refTo('a'), data: { n: 2 }, ifVersion: a },
          { op: 'set', ref: refTo('d', `tenants/${tenant}/others`), data: { n: 4 } },
        ]);
        const now = await store.getMany([
          refTo('c'),
          refTo('b'),
          refTo('a'),
          refTo('d', `tenants/${tenant}/others`),
        ]);
        expect(now.map((document) => document?.data)).toEqual([{ n: 3 }, undefined, { n: 2 }, { n: 4 }]);
        expect(result).toEqual({
          outcome: 'committed',
          versions: now.map((document) => document?.version ?? ''),
        });
      });

      it('applies none of its writes when one is in conflict, wherever it stands', async () => {
        await put('there', { n: 1 });
        const conflict: Write = { op: 'create', ref: refTo('there'), data: { n: 9 } };
        const good: Write[] = [
          { op: 'set', ref: refTo('x'), data: {} },
          { op: 'delete', ref: refTo('kept') },
        ];
        await put('kept', { n: 1 });
        for (const writes of [
          [conflict, ...good],
          [...good, conflict],
        ]) {
          expect(await store.commit(writes)).toEqual({ outcome: 'conflict' });
        }
        expect(await read('x')).toBeUndefined();
        expect(await read('kept')).toEqual({ n: 1 });
        expect(await read('there')).toEqual({ n: 1 });
      });

      it('lets exactly one of many with the same version through', async () => {
        const ifVersion = await put('a', { by: -1 });
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, by) =>
            store.commit([{ op: 'set', ref: refTo('a'), data: { by }, ifVersion }]),
          ),
        );
        const winners = results.flatMap(({ outcome }, by) => (outcome === 'committed' ? [by] : []));
        expect(winners).toHaveLength(1);
        expect(await read('a')).toEqual({ by: winners[0] });
      });

      it('deletes without a condition also what is not there', async () => {
        expect(await store.commit([{ op: 'delete', ref: refTo('none') }])).toEqual({
          outcome: 'committed',
          versions: [''],
        });
      });

      it('takes as many writes as Firestore and refuses one more, none, and a document named twice', async () => {
        const writes = (count: number): Write[] =>
          Array.from({ length: count }, (_, n) => ({ op: 'create', ref: refTo(`d${n}`), data: { n } }));
        await expect(store.commit(writes(MAX_COMMIT_WRITES + 1))).rejects.toMatchObject({
          code: 'too_large',
        });
        const result = await store.commit(writes(MAX_COMMIT_WRITES));
        expect(result.outcome === 'committed' && result.versions.length).toBe(MAX_COMMIT_WRITES);
        expect(await store.count({ from: { collection: `tenants/${tenant}/things` } })).toBe(
          MAX_COMMIT_WRITES,
        );
        await expect(store.commit([])).rejects.toMatchObject({ code: 'invalid' });
        await expect(store.commit([...writes(1), ...writes(1)])).rejects.toMatchObject({ code: 'invalid' });
      });

      it('refuses all when one document is too large', async () => {
        const large: Write = {
          op: 'set',
          ref: refTo('large'),
          data: { text: 'x'.repeat(MAX_DOCUMENT_BYTES) },
        };
        const commit = store.commit([{ op: 'set', ref: refTo('a'), data: {} }, large]);
        await expect(commit).rejects.toMatchObject({ code: 'too_large' });
        expect(await read('a')).toBeUndefined();
      });
    });

    describe('query', () => {
      const values: Record<string, unknown> = {
        null: null,
        false: false,
        true: true,
        minus: -1,
        zero: 0,
        half: 0.5,
        one: 1,
        two: 2,
        empty: '',
        one_text: '1',
        apple: 'apple',
        Zebra: 'Zebra',
        umlaut: 'ä',
        emoji: '😀',
        private: '\uffee',
      };
      beforeEach(async () => {
        const writes = Object.entries(values).map(([id, value]): Write => ({
          op: 'set',
          ref: refTo(id),
          data: { field: value, 'fi.eld"': value, tags: [value] },
        }));
        const absent: Write = { op: 'set', ref: refTo('missing'), data: { other: 1, tags: [] } };
        await store.commit([...writes, absent]);
      });

      const filters: [string, Omit<Where, 'field'>, string[]][] = [
        ['== null finds the present null only', { op: '==', value: null }, ['null']],
        ['== true is not 1', { op: '==', value: true }, ['true']],
        ['== 1 is neither true nor "1"', { op: '==', value: 1 }, ['one']],
        ['== "1" is not 1', { op: '==', value: '1' }, ['one_text']],
        ['== false is not 0', { op: '==', value: false }, ['false']],
        ['== "" finds the empty string', { op: '==', value: '' }, ['empty']],
        ['< 1 finds numbers only', { op: '<', value: 1 }, ['minus', 'zero', 'half']],
        ['>= 1 finds numbers only', { op: '>=', value: 1 }, ['one', 'two']],
        ['> false finds booleans only', { op: '>', value: false }, ['true']],
        [
          '>= "" finds strings only, by bytes',
          { op: '>=', value: '' },
          ['empty', 'one_text', 'Zebra', 'apple', 'umlaut', 'private', 'emoji'],
        ],
        ['<= "Z" finds strings only', { op: '<=', value: 'Z' }, ['empty', 'one_text']],
        [
          'in takes values of several types',
          { op: 'in', value: [1, 'apple', true, 'nothing'] } as never,
          ['apple', 'one', 'true'],
        ],
        ['of an object or array by number finds nothing', { op: '==', value: 42 }, []],
      ];
      for (const field of ['field', 'fi.eld"']) {
        for (const [what, filter, expected] of filters) {
          it(`${what} (${field})`, async () => {
            const where = [{ field, ...filter } as Where];
            expect(await ids({ where })).toEqual(expected);
            const from = { collection: `tenants/${tenant}/things` };
            expect(await store.count({ from, where })).toBe(expected.length);
          });
        }

        it(`sorts by type, then value, without documents that lack the field (${field})`, async () => {
          const sortedIds = ['null', 'false', 'true', 'minus', 'zero', 'half', 'one', 'two'];
          sortedIds.push('empty', 'one_text', 'Zebra', 'apple', 'umlaut', 'private', 'emoji');
          expect(await ids({ orderBy: { field } })).toEqual(sortedIds);
          expect(await ids({ orderBy: { field, direction: 'desc' } })).toEqual(sortedIds.toReversed());
        });

        it(`pages through every value once (${field})`, async () => {
          for (const direction of ['asc', 'desc'] as const) {
            const all = await ids({ orderBy: { field, direction } });
            expect(
              await allPages(store, {
                from: { collection: `tenants/${tenant}/things` },
                orderBy: { field, direction },
                limit: 2,
              }),
            ).toEqual(all);
          }
        });
      }

      it.each([1, '1', true, 'apple', 0.5, ''])(
        'array-contains %j finds that value of that type',
        async (value) => {
          const expected = Object.keys(values).filter((id) => values[id] === value);
          expect(await ids({ where: [{ field: 'tags', op: 'array-contains', value }] })).toEqual(expected);
        },
      );

      it('array-contains looks at arrays only, into none inside them', async () => {
        await put('text', { list: 'apple', nested: [['apple']], map: [{ x: 'apple' }] });
        await put('list', {
          list: ['pear', 'apple', 'apple', null, ['x']],
          nested: ['apple'],
          map: ['apple'],
        });
        for (const field of ['list', 'nested', 'map']) {
          expect(await ids({ where: [{ field, op: 'array-contains', value: 'apple' }] })).toEqual(['list']);
        }
      });

      it('combines filters, with another field to sort by', async () => {
        for (const [id, state, rank, due] of [
          ['r1', 'ready', 3, 10],
          ['r2', 'ready', 1, 20],
          ['r3', 'done', 0, 10],
          ['r4', 'ready', 2, 99],
          ['r5', 'ready', 1, 5],
        ] as const) {
          await put(id, { state, rank, due, pools: ['core', state] });
        }
        const ready: Where = { field: 'state', op: '==', value: 'ready' };
        const due: Where = { field: 'due', op: '<=', value: 20 };
        expect(await ids({ where: [ready, due] })).toEqual(['r5', 'r1', 'r2']);
        expect(await ids({ where: [ready, due], orderBy: { field: 'rank' } })).toEqual(['r5', 'r2', 'r1']);
        expect(
          await allPages(store, {
            from: { collection: `tenants/${tenant}/things` },
            where: [ready, due],
            orderBy: { field: 'rank', direction: 'desc' },
            limit: 1,
          }),
        ).toEqual(['r1', 'r2', 'r5']);
        expect(await ids({ where: [ready], orderBy: { field: 'rank', direction: 'desc' } }, 2)).toEqual([
          'r1',
          'r4',
        ]);
        const pool: Where = { field: 'pools', op: 'array-contains', value: 'core' };
        expect(
          await ids({ where: [pool, { field: 'state', op: 'in', value: ['done', 'ready'] }, due] }),
        ).toEqual(['r5', 'r1', 'r3', 'r2']);
        expect(
          await ids({
            where: [ready, { field: 'due', op: '>', value: 5 }, { field: 'due', op: '<', value: 99 }],
          }),
        ).toEqual(['r1', 'r2']);
      });

      it('compares large and fractional numbers exactly', async () => {
        await put('big', { size: 2 ** 60 });
        await put('real', { size: 0.1 + 0.2 });
        expect(await ids({ where: [{ field: 'size', op: '==', value: 2 ** 60 }] })).toEqual(['big']);
        expect(await ids({ where: [{ field: 'size', op: '==', value: 0.1 + 0.2 }] })).toEqual(['real']);
        expect(await ids({ where: [{ field: 'size', op: '==', value: 0.3 }] })).toEqual([]);
      });

      it('compares strings to their end, also behind a zero character', async () => {
        for (const [id, text] of Object.entries({ x: 'a\0b', y: 'a\0c', z: 'a' }))
          await put(id, { text, texts: [text] });
        for (const [id, value] of Object.entries({ x: 'a\0b', y: 'a\0c', z: 'a' })) {
          expect(await ids({ where: [{ field: 'text', op: '==', value }] })).toEqual([id]);
          expect(await ids({ where: [{ field: 'texts', op: 'array-contains', value }] })).toEqual([id]);
        }
        expect(await ids({ orderBy: { field: 'text' } })).toEqual(['z', 'x', 'y']);
      });

      it('takes names and values that look like code as names and values', async () => {
        const odd = `x') OR 1=1 --`;
        await put('odd', { [odd]: odd, __proto: 1, '$.field': 'path' });
        expect(await ids({ where: [{ field: odd, op: '==', value: odd }] })).toEqual(['odd']);
        expect(await ids({ where: [{ field: '$.field', op: '==', value: 'path' }] })).toEqual(['odd']);
        expect(await ids({ where: [{ field: 'field" OR "1', op: '==', value: 1 }] })).toEqual([]);
        expect(await ids({ where: [{ field: 'other.field', op: '==', value: 1 }] })).toEqual([]);
        expect(await ids({ where: [{ field: 'field', op: '==', value: "' OR 1=1 --" }] })).toEqual([]);
      });

      it('finds a field called __proto__ and one called __name__', async () => {
        await put('odd', JSON.parse('{"__proto__":"p","__name__":"n"}') as Document);
        expect(await ids({ where: [{ field: '__proto__', op: '==', value: 'p' }] })).toEqual(['odd']);
        expect(await ids({ orderBy: { field: '__name__' } })).toEqual(['odd']);
      });

      it.each([
        ['a limit of 0', { limit: 0 }],
        ['a limit above a page', { limit: MAX_PAGE + 1 }],
        ['a cursor of nowhere', { limit: 1, cursor: 'nonsense' }],
        ['an empty in', { limit: 1, where: [{ field: 'a', op: 'in', value: [] }] }],
        [
          '31 values of in',
          { limit: 1, where: [{ field: 'a', op: 'in', value: Array.from({ length: 31 }, (_, n) => n) }] },
        ],
        ['null in a range', { limit: 1, where: [{ field: 'a', op: '<', value: null }] }],
        ['an object as a value', { limit: 1, where: [{ field: 'a', op: '==', value: {} }] }],
        [
          'two array-contains',
          { limit: 1, where: [1, 2].map((value) => ({ field: 'a', op: 'array-contains', value })) },
        ],
      ] as [string, object][])('refuses %s', async (_what, query) => {
        const asked = { from: { collection: 'c' }, ...query } as Query<Document>;
        await expect(store.query(asked)).rejects.toMatchObject({ code: 'invalid' });
      });
    });

    describe('pages', () => {
      it('breaks ties by path in the direction of the sort, and says when there is no more', async () => {
        for (const id of ['b', 'a', 'd', 'c']) await put(id, { rank: 1 });
        await put('e', { rank: 0 });
        const query = { from: { collection: `tenants/${tenant}/things` }, limit: 2 };
        expect(await allPages(store, { ...query, orderBy: { field: 'rank' } })).toEqual([
          'e',
          'a',
          'b',
          'c',
          'd',
        ]);
        const backwards = { ...query, orderBy: { field: 'rank', direction: 'desc' as const } };
        expect(await allPages(store, backwards)).toEqual(['d', 'c', 'b', 'a', 'e']);
        expect(await allPages(store, query)).toEqual(['a', 'b', 'c', 'd', 'e']);
        expect((await store.query({ ...query, limit: 5 })).cursor).toBeUndefined();
        expect((await store.query({ ...query, limit: 4 })).cursor).toEqual(expect.any(String));
      });

      it('goes on after its last document, also when that one is gone', async () => {
        for (const id of ['a', 'b', 'c']) await put(id, {});
        const query = { from: { collection: `tenants/${tenant}/things` } };
        const { cursor } = await store.query<Document>({ ...query, limit: 2 });
        await store.commit([{ op: 'delete', ref: refTo('b') }]);
        const next = await store.query<Document>({
          ...query,
          limit: 2,
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(next.documents.map(({ ref }) => ref.id)).toEqual(['c']);
      });
    });

    describe('collection groups', () => {
      it('gather every collection of a name, in the order of path segments, and no other', async () => {
        const group = `g-${randomUUID()}`;
        const write = (parent: string, id: string, data: Document) =>
          put(id, data, `tenants/${parent}/${group}`);
        await write(`${tenant}-b`, 'x', { n: 1 });
        await write(tenant, 'z', { n: 1 });
        await write(tenant, 'y', { n: 2 });
        await put('top', { n: 1 }, group);
        await put('no', { n: 1 }, `tenants/${tenant}/${group}x`);
        const page = await store.query<Document>({ from: { group }, limit: 10 });
        const paths = page.documents.map(({ ref }) =>
          `${ref.collection}/${ref.id}`.replaceAll(group, 'G').replaceAll(tenant, 'T'),
        );
        expect(paths).toEqual(['G/top', 'tenants/T/G/y', 'tenants/T/G/z', 'tenants/T-b/G/x']);
        expect(await store.count({ from: { group } })).toBe(4);
        expect(await store.count({ from: { group }, where: [{ field: 'n', op: '==', value: 1 }] })).toBe(3);
        expect(await store.count({ from: { collection: `tenants/${tenant}/${group}` } })).toBe(2);
        expect(await allPages(store, { from: { group }, orderBy: { field: 'n' }, limit: 1 })).toEqual([
          'top',
          'z',
          'x',
          'y',
        ]);
        expect(await allPages(store, { from: { group }, limit: 1 })).toEqual(['top', 'y', 'z', 'x']);
      });
    });

    describe('aggregates', () => {
      const from = () => ({ collection: `tenants/${tenant}/things` });
      const flagged: Where[] = [{ field: 'flag', op: '==', value: true }];
      beforeEach(async () => {
        const amounts = [1, 2.5, -4, 100, undefined, null, '7', true, [8], { n: 9 }];
        const writes = amounts.map((amount, n): Write => {
          const data = { flag: n !== 3, 'odd."amount': amount ?? null, list: ['x', `${n % 2}`] };
          return { op: 'set', ref: refTo(`d${n}`), data: amount === undefined ? data : { ...data, amount } };
        });
        await store.commit(writes);
      });

      it('count no further than asked', async () => {
        expect(await store.count({ from: from(), where: flagged })).toBe(9);
        for (const upTo of [1, 4, 9, 50]) {
          expect(await store.count({ from: from(), where: flagged, upTo })).toBe(Math.min(upTo, 9));
        }
        const odd: Where = { field: 'list', op: 'array-contains', value: '1' };
        expect(await store.count({ from: from(), where: [odd, ...flagged], upTo: 1 })).toBe(1);
        expect(await store.count({ from: from(), where: [odd, ...flagged], upTo: 9 })).toBe(4);
        const none: Where = { field: 'flag', op: '==', value: 'none' };
        expect(await store.count({ from: from(), where: [none], upTo: 1 })).toBe(0);
      });

      it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
        'refuse to count up to %j',
        async (upTo) => {
          await expect(store.count({ from: from(), upTo })).rejects.toMatchObject({ code: 'invalid' });
        },
      );

      it('sum the numbers of a field, and take everything else for 0', async () => {
        expect(await store.sum({ from: from(), field: 'amount' })).toBe(99.5);
        expect(await store.sum({ from: from(), where: flagged, field: 'amount' })).toBe(-0.5);
        expect(await store.sum({ from: from(), where: flagged, field: 'odd."amount' })).toBe(-0.5);
        expect(await store.sum({ from: from(), field: 'flag' })).toBe(0);
        expect(await store.sum({ from: from(), field: 'none' })).toBe(0);
        expect(await store.sum({ from: { collection: `tenants/${tenant}/none` }, field: 'amount' })).toBe(0);
        const field = 'x'.repeat(1001);
        await expect(store.sum({ from: from(), field })).rejects.toMatchObject({ code: 'invalid' });
      });
    });

    describe('fields that the engine asks for', () => {
      it('count what an array field and a flag say, through every change', async () => {
        const tasks = `tenants/${tenant}/runs/r1/tasks`;
        const count = () =>
          store.count({
            from: { collection: tasks },
            where: [
              { field: 'dependants', op: 'array-contains', value: 'join' },
              { field: 'settled', op: '==', value: true },
            ],
          });
        const inGroup = () =>
          store.count({
            from: { group: 'tasks' },
            where: [{ field: 'dependants', op: 'array-contains', value: `only-${tenant}` }],
          });
        await put('a', { dependants: ['join', 'other'], settled: false }, tasks);
        await put('b', { dependants: ['join'], settled: true }, tasks);
        await put(
          'elsewhere',
          { dependants: ['join', `only-${tenant}`], settled: true },
          `tenants/${tenant}/runs/r2/tasks`,
        );
        expect(await count()).toBe(1);
        expect(await inGroup()).toBe(1);
        await put('a', { dependants: ['join'], settled: true }, tasks);
        expect(await count()).toBe(2);
        await put('b', { dependants: [1, true, null], settled: true }, tasks);
        expect(await count()).toBe(1);
        await store.commit([{ op: 'delete', ref: refTo('a', tasks) }]);
        expect(await count()).toBe(0);
      });
    });

    describe('watch', () => {
      const stops: (() => void)[] = [];
      // A listener that outlives its case would break the cases behind it.
      afterEach(() => stops.splice(0).forEach((stop) => stop()));
      const watch: Store['watch'] = (ref, onChange) => {
        const stop = store.watch(ref, onChange);
        stops.push(stop);
        return stop;
      };
      it('tells the present state, each later one, and the end', async () => {
        const seen = collector<Document>();
        const stop = watch(refTo('a'), seen.add);
        await seen.until((document) => document === undefined);
        await store.create(refTo('a'), { n: 1 });
        await seen.until((document) => document?.data['n'] === 1);
        const version = await put('a', { n: 2 });
        const told = await seen.until((document) => document?.data['n'] === 2);
        expect(told).toEqual({ ref: refTo('a'), data: { n: 2 }, version });
        await store.commit([{ op: 'delete', ref: refTo('a') }]);
        await seen.until((document) => document === undefined);
        stop();
      });

      it('tells nothing of other documents, nothing after it is stopped, and each watcher for itself', async () => {
        const [seen, other] = [collector<Document>(), collector<Document>()];
        const stop = watch(refTo('a'), seen.add);
        const stopOther = watch(refTo('a'), other.add);
        await Promise.all([seen.until(() => true), other.until(() => true)]);
        await put('b', { n: 1 });
        stop();
        await put('a', { n: 1 });
        await other.until((document) => document?.data['n'] === 1);
        expect(seen.all).toEqual([undefined]);
        expect(other.all.every((document) => document === undefined || document.ref.id === 'a')).toBe(true);
        stopOther();
      });
    });

    if (!hasWire) return;
    describe('lost answers', () => {
      const disturb = (how: keyof Wire) => {
        if (under.wire === undefined) throw new Error('no wire to disturb');
        under.wire[how]();
      };
      const hooks = ['repeatNextCommit', 'loseNextAnswer'] as const;
      for (const hook of hooks) {
        it(`reports an applied commit as committed (${hook})`, async () => {
          disturb(hook);
          expect(await store.create(refTo('new'), { n: 1 })).toBe('created');
          const before = await put('a', { n: 1 });
          disturb(hook);
          const result = await store.commit([
            { op: 'set', ref: refTo('a'), data: { n: 2 }, ifVersion: before },
            { op: 'create', ref: refTo('b'), data: { n: 3 } },
          ]);
          const now = await store.getMany([refTo('a'), refTo('b')]);
          expect(result).toEqual({
            outcome: 'committed',
            versions: now.map((document) => document?.version),
          });
          expect(now.map((document) => document?.data)).toEqual([{ n: 2 }, { n: 3 }]);
        });

        it(`still reports what another one wrote as a conflict (${hook})`, async () => {
          await put('a', { by: 'other' });
          disturb(hook);
          expect(await store.create(refTo('a'), { by: 'me' })).toBe('exists');
          disturb(hook);
          const set: Write = { op: 'set', ref: refTo('a'), data: { by: 'me' }, ifVersion: 'nonsense' };
          expect(await store.commit([set])).toEqual({ outcome: 'conflict' });
          expect(await read('a')).toEqual({ by: 'other' });
        });
      }
    });
  });
}

/** Firestore keeps no order of field names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .map(([name, child]) => [name, sorted(child)])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

function collector<T extends object>() {
  const all: (Versioned<T> | undefined)[] = [];
  let told = 0;
  let wake: () => void = () => undefined;
  return {
    all,
    add: (document: Versioned<T> | undefined) => {
      all.push(document);
      wake();
    },
    /** The next that fits, from where the last search ended; jest's own timeout ends a vain one. */
    async until(fits: (document: Versioned<T> | undefined) => boolean): Promise<Versioned<T> | undefined> {
      for (;;) {
        while (told < all.length) {
          const document = all[told];
          told += 1;
          if (fits(document)) return document;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
