import { describe, expect, it } from '@jest/globals';
import type { Write } from '../../../shared/ports/store.ts';
import type { StoreCases } from './store-cases.ts';

/** Commits whose answer gets lost: for stores that talk to a server. */
export function describeLostAnswers(cases: StoreCases): void {
  const { store, refTo, put, read } = cases;
  describe('lost answers', () => {
    const hooks = ['repeatNextCommit', 'loseNextAnswer'] as const;
    for (const hook of hooks) {
      it(`reports an applied commit as committed (${hook})`, async () => {
        cases.wire[hook]();
        expect(await store.create(refTo('new'), { n: 1 })).toBe('created');
        const before = await put('a', { n: 1 });
        cases.wire[hook]();
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

      it(`reports an applied write of what was there already as committed, under a new version (${hook})`, async () => {
        const before = await put('a', { n: 1 });
        const same: Write = { op: 'set', ref: refTo('a'), data: { n: 1 }, ifVersion: before };
        cases.wire[hook]();
        const result = await store.commit([same]);
        const version = (await store.get(refTo('a')))?.version ?? '';
        expect(result).toEqual({ outcome: 'committed', versions: [version] });
        expect(version).not.toBe(before);
        expect(await store.commit([same])).toEqual({ outcome: 'conflict' });
      });

      it(`reports an applied commit without a condition as committed, and a delete beside a write too (${hook})`, async () => {
        const gone = await put('gone', { n: 1 });
        cases.wire[hook]();
        expect(await put('a', { n: 2 })).toBe((await store.get(refTo('a')))?.version);
        cases.wire[hook]();
        const result = await store.commit([
          { op: 'delete', ref: refTo('gone'), ifVersion: gone },
          { op: 'set', ref: refTo('a'), data: { n: 3 } },
        ]);
        expect(result).toEqual({
          outcome: 'committed',
          versions: ['', (await store.get(refTo('a')))?.version],
        });
        expect(await read('gone')).toBeUndefined();
      });

      it(`still reports what another one wrote as a conflict (${hook})`, async () => {
        const stale = await put('a', { by: 'me' });
        await put('a', { by: 'other' });
        cases.wire[hook]();
        expect(await store.create(refTo('a'), { by: 'me' })).toBe('exists');
        cases.wire[hook]();
        const set: Write = { op: 'set', ref: refTo('a'), data: { by: 'me' }, ifVersion: stale };
        expect(await store.commit([set])).toEqual({ outcome: 'conflict' });
        expect(await read('a')).toEqual({ by: 'other' });
      });

      it(`lets exactly one of many with the same version through, whoever hears of it (${hook})`, async () => {
        const ifVersion = await put('a', { by: -1 });
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, by) => {
            cases.wire[hook]();
            return store.commit([{ op: 'set', ref: refTo('a'), data: { by }, ifVersion }]);
          }),
        );
        const winners = results.flatMap(({ outcome }, by) => (outcome === 'committed' ? [by] : []));
        expect(winners).toHaveLength(1);
        expect(await read('a')).toEqual({ by: winners[0] });
      });

      it(`takes a lost delete for somebody else's, because it leaves no trace (${hook})`, async () => {
        const version = await put('a', { n: 1 });
        cases.wire[hook]();
        const result = await store.commit([{ op: 'delete', ref: refTo('a'), ifVersion: version }]);
        expect(result).toEqual({ outcome: 'conflict' });
        expect(await read('a')).toBeUndefined();
      });
    }
  });
}
