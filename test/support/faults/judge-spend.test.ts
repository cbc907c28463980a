import { describe, expect, it } from '@jest/globals';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { reservationFor } from '../../../shared/core/models/price.ts';
import { judgeSpend } from './judge-spend.ts';
import type { ProviderCall } from './provider.ts';

const run = { budget: { limitMicroUsd: 2_000_000 } };
const model = 'claude-sonnet-5-5';
const call = (
  inputTokens: number,
  microUsd: number,
  end: ProviderCall['end'] = 'answered',
): ProviderCall => ({
  task: 'fix',
  model,
  inputTokens,
  maxOutputTokens: 16_000,
  end,
  microUsd,
});
const calls = [call(100, 900), call(200, 1_200), call(300, 1_500)];
const lost = (inputTokens: number) => reservationFor(inputTokens, 16_000, modelById(model));

interface Given {
  calls?: ProviderCall[];
  counts?: ProviderCall[];
  losses?: number;
}

function judged(attempts: [spentMicroUsd: number, calls: number][], given: Given = {}): string {
  const meters = attempts.map(([spentMicroUsd, n]) => ({
    meter: { spentMicroUsd, calls: n, allowanceMicroUsd: 400_000 },
  }));
  const bill = { calls, counts: given.calls ?? calls, losses: 0, ...given };
  return judgeSpend(run, [{ id: 'fix', attempts: meters }], bill).join('\n');
}

describe('the judge of what a run spent', () => {
  it('finds nothing where each answered call is charged once, over whatever attempts', () => {
    expect(judged([[3_600, 3]])).toBe('');
    expect(
      judged([
        [900, 1],
        [2_700, 2],
      ]),
    ).toBe('');
  });

  it('finds nothing where a refused call is free and a broken one costs its reservation', () => {
    expect(judged([[3_600, 3]], { calls: [...calls, call(300, 0, 'refused')] })).toBe('');
    expect(judged([[3_600 + lost(400), 4]], { calls: [...calls, call(400, 800, 'broken')] })).toBe('');
  });

  it('accepts the reservation in place of an answer that may have been lost, and of a call that was only meant', () => {
    expect(judged([[2_400 + lost(200), 2]], { losses: 1 })).toBe('');
    expect(judged([[3_600 + lost(400), 3]], { losses: 1, counts: [...calls, call(400, 0)] })).toBe('');
    const fewer = reservationFor(
      400,
      Math.floor((400_000 * 0.4) / modelById(model).prices.output),
      modelById(model),
    );
    expect(judged([[3_600 + fewer, 3]], { losses: 1, counts: [...calls, call(400, 0)] })).toBe('');
  });

  it.each([
    ['a call that is charged twice', [[3_600 + 1_200, 3]], { losses: 5 }, /explain the difference/],
    ['a call that is not charged', [[2_100, 2]], { losses: 5 }, /explain the difference/],
    [
      'a broken call that is not charged',
      [[3_600, 3]],
      { calls: [...calls, call(400, 800, 'broken')] },
      /explain/,
    ],
    [
      'a refused call that is charged',
      [[3_600 + lost(400), 4]],
      { calls: [...calls, call(400, 0, 'refused')] },
      /explain/,
    ],
    ['a lost answer where nothing was lost', [[2_400 + lost(200), 2]], {}, /no 0 lost ones explain/],
    [
      'more lost answers than there may be',
      [[900 + lost(200) + lost(300), 3]],
      { losses: 1 },
      /no 1 lost ones/,
    ],
    ['more calls than the model did', [[3_600, 4]], {}, /the model did 3/],
    ['more than the budget', [[3_000_000, 3]], {}, /over the budget/],
  ] as [string, [number, number][], Given, RegExp][])('sees %s', (_, attempts, given, problem) => {
    expect(judged(attempts, given)).toMatch(problem);
  });
});
