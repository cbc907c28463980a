import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { allPages } from '../../support/random-queries.ts';
import type { Document, StoreCases } from './store-cases.ts';

/** Pages, and collections of one name. */
export function describePages(cases: StoreCases): void {
  const { store, refTo, put } = cases;
  describe('pages', () => {
    it('breaks ties by path in the direction of the sort, and says when there is no more', async () => {
      for (const id of ['b', 'a', 'd', 'c']) await put(id, { rank: 1 });
      await put('e', { rank: 0 });
      const query = { from: { collection: `tenants/${cases.tenant}/things` }, limit: 2 };
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
      const query = { from: { collection: `tenants/${cases.tenant}/things` } };
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
      await write(`${cases.tenant}-b`, 'x', { n: 1 });
      await write(cases.tenant, 'z', { n: 1 });
      await write(cases.tenant, 'y', { n: 2 });
      await put('top', { n: 1 }, group);
      await put('no', { n: 1 }, `tenants/${cases.tenant}/${group}x`);
      const page = await store.query<Document>({ from: { group }, limit: 10 });
      const paths = page.documents.map(({ ref }) =>
        `${ref.collection}/${ref.id}`.replaceAll(group, 'G').replaceAll(cases.tenant, 'T'),
      );
      expect(paths).toEqual(['G/top', 'tenants/T/G/y', 'tenants/T/G/z', 'tenants/T-b/G/x']);
      expect(await store.count({ from: { group } })).toBe(4);
      expect(await store.count({ from: { group }, where: [{ field: 'n', op: '==', value: 1 }] })).toBe(3);
      expect(await store.count({ from: { collection: `tenants/${cases.tenant}/${group}` } })).toBe(2);
      expect(await allPages(store, { from: { group }, orderBy: { field: 'n' }, limit: 1 })).toEqual([
        'top',
        'z',
        'x',
        'y',
      ]);
      expect(await allPages(store, { from: { group }, limit: 1 })).toEqual(['top', 'y', 'z', 'x']);
    });
  });
}
