import { describe, expect, it } from '@jest/globals';
import { judgeSpend } from './judge-records.ts';

const run = { budget: { limitMicroUsd: 2_000_000 } };
const call = (microUsd: number) => ({ task: 'fix', microUsd, reservationMicroUsd: 160_000 });
const served = [call(900), call(1_200), call(1_500)];

function judged(attempts: [spentMicroUsd: number, calls: number][], calls = served): string[] {
  const task = {
    id: 'fix',
    attempts: attempts.map(([spentMicroUsd, n]) => ({ meter: { spentMicroUsd, calls: n } })),
  };
  return judgeSpend(run, [task], { served: calls, expected: served });
}

describe('the judge of what a run spent', () => {
  it('finds nothing where each served call is charged once, over whatever attempts', () => {
    expect(judged([[3_600, 3]])).toEqual([]);
    expect(
      judged([
        [900, 1],
        [2_700, 2],
      ]),
    ).toEqual([]);
  });

  it('accepts the reservation of a call whose answer was lost, served or not', () => {
    expect(
      judged([
        [900 + 160_000, 1],
        [1_500, 1],
      ]),
    ).toEqual([]);
    expect(judged([[3_600 + 160_000, 3]])).toEqual([]);
  });

  it.each([
    ['a call that is charged twice', [[3_600 + 1_200, 3]], /no lost call explains/],
    ['a call that is not charged', [[2_100, 2]], /no lost call explains/],
    ['three reservations for one crash', [[3_600 + 3 * 160_000, 3]], /no lost call explains/],
    ['more calls than were served', [[3_600, 4]], /the model served 3/],
    ['more than the budget', [[3_000_000, 3]], /over the budget/],
  ] as [string, [number, number][], RegExp][])('sees %s', (_, attempts, problem) => {
    expect(judged(attempts).join('\n')).toMatch(problem);
  });
});
