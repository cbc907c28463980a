import { describe, expect, it } from '@jest/globals';
import type { Circuits } from '../../../../shared/core/circuits/create-circuits.ts';
import { watchCall } from '../../../../shared/core/circuits/watch-call.ts';
import { type ErrorCode, PenstockError } from '../../../../shared/ports/penstock-error.ts';
import { createHandClock } from '../../../support/engine.ts';
import { createSpendingModel } from '../../../support/spending-model.ts';

/** What a call that ends with this error tells, by circuit. */
async function told(code: ErrorCode, signal?: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  const circuits = {
    failed: ({ key }: { key: string }) => Promise.resolve(void names.push(key)),
  } as Partial<Circuits> as Circuits;
  const watch = watchCall({ circuits, clock: createHandClock(), model: createSpendingModel() }, 'a-model');
  const error = new PenstockError(code, 'it broke');
  await expect(watch.during(() => Promise.reject(error), signal)).rejects.toBe(error);
  return names;
}

describe('a failed model call', () => {
  it.each<[ErrorCode, string[]]>([
    ['rate_limited', ['provider-script']],
    ['unavailable', ['provider-script']],
    ['timeout', ['provider-script']],
    ['unauthenticated', ['provider-script']],
    ['forbidden', ['provider-script']],
    ['not_found', ['model-a-model']],
    ['invalid', []],
    ['too_large', []],
    ['refused', []],
    ['budget', []],
    ['stale', []],
  ])('for %s tells %j', async (code, expected) => {
    expect(await told(code)).toEqual(expected);
  });

  it('that we broke off ourselves tells nothing', async () => {
    expect(await told('unavailable', AbortSignal.abort())).toEqual([]);
  });
});
