import { describe, expect, it } from '@jest/globals';
import { assert, constantFrom, integer, property } from 'fast-check';
import { modelById, modelTable } from '../../../../shared/core/models/model-table.ts';
import { priceOf, reservationFor } from '../../../../shared/core/models/price.ts';

const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const [haiku, sonnet] = [modelById('claude-haiku-5-5'), modelById('claude-sonnet-5-5')];

describe('priceOf', () => {
  it('charges each kind of token at its own price, in micro-USD', () => {
    const usage = { input: 1_000_000, output: 100_000, cacheRead: 1_000_000, cacheWrite: 200_000 };
    expect(priceOf(usage, sonnet)).toBe(2_000_000 + 1_000_000 + 100_000 + 500_000);
  });

  it('rounds up to the next micro-USD', () => {
    expect(priceOf({ ...none, cacheRead: 1 }, sonnet)).toBe(1);
    expect(priceOf(none, sonnet)).toBe(0);
  });

  it('charges every token of a long prompt the price of long prompts, cached tokens counted in', () => {
    expect(priceOf({ ...none, cacheRead: 100_000, output: 1_000 }, haiku)).toBe(1_000 + 500);
    expect(priceOf({ ...none, cacheRead: 100_000, input: 1, output: 1_000 }, haiku)).toBe(5_001 + 2_500);
  });
});

describe('reservationFor', () => {
  it('is never less than what a call within it costs', () => {
    const tokens = integer({ min: 0, max: 500_000 });
    const model = constantFrom(...modelTable);
    assert(
      property(
        model,
        tokens,
        tokens,
        tokens,
        tokens,
        tokens,
        (entry, input, cacheRead, cacheWrite, output, spare) => {
          const reserved = reservationFor(input + cacheRead + cacheWrite, output + spare, entry);
          expect(reserved).toBeGreaterThanOrEqual(priceOf({ input, output, cacheRead, cacheWrite }, entry));
        },
      ),
    );
  });
});
