import { describe, expect, it } from '@jest/globals';
import { faultText } from './fault.ts';
import { scheduleOf } from './schedule.ts';
import { shrinkSchedule } from './shrink-schedule.ts';

const broken = Array.from({ length: 50 }, (_, seed) => scheduleOf(seed, 'local')).find(
  ({ faults }) => new Set(faults.map(faultText)).size === 5,
);
if (broken === undefined) throw new Error('none of these seeds has five different faults');

describe('shrinking a schedule that breaks something', () => {
  it.each([[[3]], [[0, 4]], [[0, 1, 2, 3, 4]]])('leaves the faults that it takes: %j', async (culprits) => {
    const needed = culprits.map((index) => broken.faults[index]);
    let plays = 0;
    const shrunk = await shrinkSchedule(broken, ({ faults }) => {
      plays += 1;
      return Promise.resolve(
        needed.every((fault) => fault !== undefined && faults.includes(fault)) ? ['broken'] : [],
      );
    });
    expect(shrunk).toEqual({ ...broken, faults: needed });
    expect(plays).toBeLessThanOrEqual(5);
  });
});
