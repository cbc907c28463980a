import { describe, expect, it } from '@jest/globals';
import { MAX_PAGE } from '../../../shared/ports/store.ts';
import type { StoreCases } from './store-cases.ts';

/** One document, its place, and several at once. */
export function describeDocuments(cases: StoreCases): void {
  const { store, refTo, put, read, ids } = cases;
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
}
