import { beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_PAGE, type Query, type Where, type Write } from '../../../shared/ports/store.ts';
import { allPages } from '../../support/random-queries.ts';
import type { Document, StoreCases } from './store-cases.ts';

/** What a query finds, and in which order. */
export function describeFilters(cases: StoreCases): void {
  const { store, refTo, put, ids } = cases;
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
          const from = { collection: `tenants/${cases.tenant}/things` };
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
              from: { collection: `tenants/${cases.tenant}/things` },
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
          from: { collection: `tenants/${cases.tenant}/things` },
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
}
