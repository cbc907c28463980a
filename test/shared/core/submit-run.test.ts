import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { refs } from '../../../shared/core/refs.ts';
import { retryRun } from '../../../shared/core/retry-run.ts';
import { submitRun } from '../../../shared/core/submit-run.ts';
import { startEngine, SUBMISSION, TENANT, type Engine } from '../../support/engine.ts';

describe('a tenant that may have so many live runs', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
    const data = { v: 1 as const, maxLiveRuns: 2 };
    await engine.ports.store.commit([{ op: 'set', ref: refs.settings(TENANT), data }]);
  });
  afterEach(() => engine.close());
  const submit = (key?: string) =>
    submitRun(engine.ports, SUBMISSION, key === undefined ? {} : { idempotency: { key, body: 1 } });

  it('is refused one more, by the name of the limit, until one has ended', async () => {
    const { run } = await submit();
    await submit();
    await expect(submit()).rejects.toMatchObject({
      code: 'rate_limited',
      message: expect.stringContaining('2 live runs, as many as its setting maxLiveRuns allows'),
    });
    await expect(
      retryRun(engine.ports, { tenant: TENANT, run: run.id, actor: 'dana' }),
    ).rejects.toMatchObject({
      code: 'conflict',
    });
    await cancelRun(engine.ports, TENANT, run.id, 'dana');
    await expect(
      retryRun(engine.ports, { tenant: TENANT, run: run.id, actor: 'dana' }),
    ).resolves.toMatchObject({
      duplicate: false,
    });
    await expect(submit()).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('is answered a request that it repeats all the same', async () => {
    const { run } = await submit('key-1');
    await submit('key-2');
    expect(await submit('key-1')).toMatchObject({ run: { id: run.id }, duplicate: true });
    await expect(submit('key-3')).rejects.toMatchObject({ code: 'rate_limited' });
  });
});

describe('a tenant without such a limit', () => {
  it('has nothing counted', async () => {
    const engine = await startEngine();
    try {
      const { store } = engine.ports;
      const count = () => Promise.reject(new Error('nothing is to be counted'));
      const ports = { ...engine.ports, store: { ...store, count } };
      await expect(submitRun(ports, SUBMISSION)).resolves.toMatchObject({ duplicate: false });
    } finally {
      await engine.close();
    }
  });
});
