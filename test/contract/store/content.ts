import { describe, expect, it } from '@jest/globals';
import { MAX_DOCUMENT_BYTES, type Write } from '../../../shared/ports/store.ts';
import type { Document, StoreCases } from './store-cases.ts';

/** What a document may hold, and that it comes back as it was. */
export function describeContent(cases: StoreCases): void {
  const { store, refTo, put, read, ids } = cases;
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
      'odd names in arrays': {
        list: [
          JSON.parse('{"__proto__":{"__proto__":[1]},"a.b":{"c.d":[]},"":{"constructor":"x"}}') as Document,
          [JSON.parse('{"__proto__":1,"e.f":2}') as Document],
        ],
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

    it('comes back exactly at 99 KB, is found, and is replaced under its version', async () => {
      const entries = Array.from({ length: 600 }, (_, n) => ({
        at: n,
        'by.whom': 'ä',
        __proto: null,
        list: [[n], { n: n / 3 }],
      }));
      const large = { size: 99, entries, text: '' };
      large.text = 'x'.repeat(99 * 1024 - Buffer.byteLength(JSON.stringify(large)));
      const version = await put('large', large);
      expect(await read('large')).toEqual(large);
      expect(await ids({ where: [{ field: 'size', op: '==', value: 99 }] })).toEqual(['large']);
      const next = { ...large, entries: large.entries.toReversed(), size: 98 };
      const write: Write = { op: 'set', ref: refTo('large'), data: next, ifVersion: version };
      expect((await store.commit([write])).outcome).toBe('committed');
      expect(await read('large')).toEqual(next);
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
}

/** Firestore keeps no order of field names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .map(([name, child]) => [name, sorted(child)])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}
