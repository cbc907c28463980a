import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimTask } from '../../../shared/core/claim-task.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { finishAttempt } from '../../../shared/core/finish-attempt.ts';
import { reserve, settle } from '../../../shared/core/meter.ts';
import { meteredModel } from '../../../shared/core/metered-model.ts';
import { refs } from '../../../shared/core/refs.ts';
import { requestOf } from '../../contract/model-contract.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { taskOf } from '../../support/records.ts';
import { createSpendingModel } from '../../support/spending-model.ts';

const usage = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };

describe('the meter of an attempt', () => {
  let engine: Engine;
  let fence: Fence;
  beforeEach(async () => {
    engine = await startEngine({ model: createSpendingModel() });
    await engine.ports.store.create(
      refs.task(TENANT, 'run1', 'api'),
      taskOf({ lane: 'function', allotmentMicroUsd: 100_000 }),
    );
    const claim = await claimTask(engine.ports, {
      v: 1,
      tenant: TENANT,
      run: 'run1',
      task: 'api',
      generation: 1,
    });
    if (claim.outcome !== 'mine') throw new Error('not claimed');
    ({ fence } = claim);
  });
  afterEach(() => engine.close());
  const meter = async () => (await engine.task('run1', 'api')).attempts[0]?.meter;

  it('sets aside no more than the allotment has left, counting what is set aside already', async () => {
    await reserve(engine.ports, fence, { microUsd: 60_000, model: 'm' });
    const over = reserve(engine.ports, fence, { microUsd: 40_001, model: 'm' });
    await expect(over).rejects.toMatchObject({ code: 'budget', message: expect.stringContaining('$0.0400') });
    await reserve(engine.ports, fence, { microUsd: 40_000, model: 'm' });
    expect(await meter()).toMatchObject({ reservedMicroUsd: 100_000, spentMicroUsd: 0 });
  });

  it('is right when many calls are made at the same time', async () => {
    const calls = await Promise.allSettled(
      Array.from({ length: 6 }, () => reserve(engine.ports, fence, { microUsd: 30_000, model: 'm' })),
    );
    expect(calls.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(await meter()).toMatchObject({ reservedMicroUsd: 90_000 });
  });

  it('puts what was used in the place of what was set aside', async () => {
    await reserve(engine.ports, fence, { microUsd: 60_000, model: 'm' });
    await settle(engine.ports, fence, {
      reservedMicroUsd: 60_000,
      spentMicroUsd: 20_000,
      usage,
      answered: true,
    });
    await reserve(engine.ports, fence, { microUsd: 60_000, model: 'm' });
    await settle(engine.ports, fence, {
      reservedMicroUsd: 60_000,
      spentMicroUsd: 0,
      usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      answered: false,
    });
    expect(await meter()).toMatchObject({ reservedMicroUsd: 0, spentMicroUsd: 20_000, usage, calls: 1 });
  });

  it('is closed to whoever does not hold the attempt any more', async () => {
    await finishAttempt(engine.ports, fence, {
      outcome: 'succeeded',
      summary: 'done',
      checks: [],
      filesRead: 0,
    });
    await expect(reserve(engine.ports, fence, { microUsd: 1, model: 'm' })).rejects.toMatchObject({
      code: 'stale',
    });
    await expect(
      reserve(engine.ports, { ...fence, claimId: 'x' }, { microUsd: 1, model: 'm' }),
    ).rejects.toMatchObject({ code: 'stale' });
  });

  it('gives back what was set aside for a call that was never answered', async () => {
    const failing = {
      ...engine.ports,
      model: {
        ...engine.ports.model,
        answer: () => Promise.reject(new PenstockError('rate_limited', 'busy', { retry: 'later' })),
      },
    };
    await expect(meteredModel(failing, fence).answer(requestOf())).rejects.toMatchObject({
      code: 'rate_limited',
    });
    expect(await meter()).toMatchObject({ reservedMicroUsd: 0, spentMicroUsd: 0, calls: 0 });
  });

  it('keeps a call that was answered set aside when its settling fails', async () => {
    const { store } = engine.ports;
    let commits = 0;
    // The second commit of a call is its settling.
    const commit: typeof store.commit = (writes) =>
      ++commits === 2
        ? Promise.reject(new PenstockError('unavailable', 'the store is away', { retry: 'later' }))
        : store.commit(writes);
    const failing: Ports = { ...engine.ports, store: { ...store, commit } };
    await expect(meteredModel(failing, fence).answer(requestOf())).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect((await meter())?.reservedMicroUsd).toBeGreaterThan(0);
  });
});
