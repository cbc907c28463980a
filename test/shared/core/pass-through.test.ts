import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimTask } from '../../../shared/core/claim-task.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { reservationFor } from '../../../shared/core/models/price.ts';
import { passThrough } from '../../../shared/core/pass-through.ts';
import { refs } from '../../../shared/core/refs.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type Engine, startEngine, TENANT } from '../../support/engine.ts';
import { taskOf } from '../../support/records.ts';

const MODEL = 'claude-sonnet-5-5';
const body = { model: MODEL, max_tokens: 500, messages: [] };

describe('a model call of a job that fails before any answer', () => {
  let engine: Engine;
  let fence: Fence;
  beforeEach(async () => {
    engine = await startEngine();
    const task = taskOf({ lane: 'function', allotmentMicroUsd: 100_000 });
    await engine.ports.store.create(refs.task(TENANT, 'run1', 'api'), task);
    const hint = { v: 1, tenant: TENANT, run: 'run1', task: 'api', generation: 1 } as const;
    const claim = await claimTask(engine.ports, hint);
    if (claim.outcome !== 'mine') throw new Error('not claimed');
    ({ fence } = claim);
  });
  afterEach(() => engine.close());

  it.each([
    [true, reservationFor(100, 500, modelById(MODEL)), 1],
    [false, 0, 0],
  ])(
    'is charged its reservation if it may have counted (%s)',
    async (mayHaveCounted, spentMicroUsd, calls) => {
      const failure = new PenstockError('unavailable', 'no answer', { retry: 'later', mayHaveCounted });
      const gateway = { countTokens: () => Promise.resolve(100), send: () => Promise.reject(failure) };
      const call = passThrough(engine.ports, gateway, fence, { body, headers: new Headers() });
      await expect(call).rejects.toBe(failure);
      const { attempts } = await engine.task('run1', 'api');
      expect(attempts[0]?.meter).toMatchObject({ spentMicroUsd, reservedMicroUsd: 0, calls });
    },
  );
});
