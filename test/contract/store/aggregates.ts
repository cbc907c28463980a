import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Where, Write } from '../../../shared/ports/store.ts';
import type { StoreCases } from './store-cases.ts';

/** Counts and sums. */
export function describeAggregates(cases: StoreCases): void {
  const { store, refTo, put } = cases;
  describe('aggregates', () => {
    const from = () => ({ collection: `tenants/${cases.tenant}/things` });
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

    it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuse to count up to %j', async (upTo) => {
      await expect(store.count({ from: from(), upTo })).rejects.toMatchObject({ code: 'invalid' });
    });

    it('sum the numbers of a field, and take everything else for 0', async () => {
      expect(await store.sum({ from: from(), field: 'amount' })).toBe(99.5);
      expect(await store.sum({ from: from(), where: flagged, field: 'amount' })).toBe(-0.5);
      expect(await store.sum({ from: from(), where: flagged, field: 'odd."amount' })).toBe(-0.5);
      expect(await store.sum({ from: from(), field: 'flag' })).toBe(0);
      expect(await store.sum({ from: from(), field: 'none' })).toBe(0);
      expect(await store.sum({ from: { collection: `tenants/${cases.tenant}/none` }, field: 'amount' })).toBe(
        0,
      );
      const field = 'x'.repeat(1001);
      await expect(store.sum({ from: from(), field })).rejects.toMatchObject({ code: 'invalid' });
    });
  });

  describe('fields that the engine asks for', () => {
    it('count what an array field and a flag say, through every change', async () => {
      const tasks = `tenants/${cases.tenant}/runs/r1/tasks`;
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
          where: [{ field: 'dependants', op: 'array-contains', value: `only-${cases.tenant}` }],
        });
      await put('a', { dependants: ['join', 'other'], settled: false }, tasks);
      await put('b', { dependants: ['join'], settled: true }, tasks);
      await put(
        'elsewhere',
        { dependants: ['join', `only-${cases.tenant}`], settled: true },
        `tenants/${cases.tenant}/runs/r2/tasks`,
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
}
