import { describe, expect, it } from '@jest/globals';
import { MAX_COMMIT_WRITES, MAX_DOCUMENT_BYTES, type Write } from '../../../shared/ports/store.ts';
import type { StoreCases } from './store-cases.ts';

/** Versions, atomicity and what a commit refuses. */
export function describeCommits(cases: StoreCases): void {
  const { store, refTo, put, read } = cases;
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

    it('changes the version also when a conditional set changes nothing, so that one of many such goes through', async () => {
      const data = { state: 'running', 'dotted.name': [1, { n: null }] };
      const first = await put('a', data);
      const same: Write = { op: 'set', ref: refTo('a'), data, ifVersion: first };
      const outcomes = await Promise.all(
        Array.from({ length: 4 }, async () => (await store.commit([same])).outcome),
      );
      expect(outcomes.toSorted()).toEqual(['committed', 'conflict', 'conflict', 'conflict']);
      const now = await store.get(refTo('a'));
      expect(now?.data).toEqual(data);
      expect(now?.version).not.toBe(first);
    });

    it('removes fields that a conditional set no longer has', async () => {
      const version = await put('a', { keep: 1, drop: 2, 'dr.op': 3, inner: { drop: 4 } });
      await store.commit([{ op: 'set', ref: refTo('a'), data: { keep: 1, inner: {} }, ifVersion: version }]);
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
        { op: 'set', ref: refTo('d', `tenants/${cases.tenant}/others`), data: { n: 4 } },
      ]);
      const now = await store.getMany([
        refTo('c'),
        refTo('b'),
        refTo('a'),
        refTo('d', `tenants/${cases.tenant}/others`),
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
      expect(await store.count({ from: { collection: `tenants/${cases.tenant}/things` } })).toBe(
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
}
