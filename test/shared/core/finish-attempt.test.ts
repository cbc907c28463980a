import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimTask } from '../../../shared/core/claim-task.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { finishAttempt } from '../../../shared/core/finish-attempt.ts';
import { foldHistory } from '../../../shared/core/history.ts';
import { reserve, settle } from '../../../shared/core/meter.ts';
import { refs } from '../../../shared/core/refs.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { AttemptResult, FailureCode } from '../../../shared/messages/attempt-api.ts';
import { POLICY, startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { taskOf } from '../../support/records.ts';

const done: AttemptResult = {
  outcome: 'succeeded',
  summary: 'done',
  output: 'a text',
  checks: [],
  filesRead: 2,
};
const failing = (code: FailureCode): AttemptResult => ({
  outcome: 'failed',
  failure: { code, message: 'it broke' },
  checks: [],
});
const usage = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };

describe('the end of an attempt', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());
  const task = () => engine.task('run1', 'api');

  async function claimed(changes: Partial<Task> = {}, generation = 1): Promise<Fence> {
    if (generation === 1)
      await engine.ports.store.create(
        refs.task(TENANT, 'run1', 'api'),
        taskOf({ lane: 'function', ...changes }),
      );
    const claim = await claimTask(engine.ports, {
      v: 1,
      tenant: TENANT,
      run: 'run1',
      task: 'api',
      generation,
    });
    if (claim.outcome !== 'mine') throw new Error('not claimed');
    return claim.fence;
  }

  it('stores the result with the state that it explains, then tells it', async () => {
    const fence = await claimed();
    expect(await finishAttempt(engine.ports, fence, done)).toBe('stored');
    const stored = await task();
    expect(stored).toMatchObject({
      state: 'succeeded',
      settled: true,
      live: false,
      leaseUntil: 0,
      result: { summary: 'done', filesRead: 2 },
    });
    expect(foldHistory(stored.history)).toBe('succeeded');
    expect(new TextDecoder().decode(await engine.ports.blobs.get(stored.result?.outputKey ?? ''))).toBe(
      'a text',
    );
    expect(engine.mail.map(({ topic, message }) => [topic, message])).toEqual([
      ['task-finished', { v: 1, tenant: TENANT, run: 'run1', task: 'api', generation: 1 }],
    ]);
  });

  it('told twice changes nothing the second time, but is told on again', async () => {
    const fence = await claimed();
    await finishAttempt(engine.ports, fence, done);
    const before = await task();
    expect(await finishAttempt(engine.ports, fence, failing('internal'))).toBe('stored');
    expect(await task()).toEqual(before);
    expect(engine.mail).toHaveLength(2);
  });

  it('of an attempt that was taken back changes nothing and tells nothing', async () => {
    const fence = await claimed();
    engine.clock.advance(POLICY.leaseMs + 1);
    await sweep(engine.ports);
    const before = await task();
    expect(before.attempts[0]?.exit).toMatchObject({ outcome: 'lost', class: 'transient' });
    expect(await finishAttempt(engine.ports, fence, done)).toBe('stale');
    engine.clock.advance(60_000);
    const next = await claimed({}, 2);
    expect(await finishAttempt(engine.ports, fence, done)).toBe('stale');
    expect(await finishAttempt(engine.ports, { ...next, claimId: fence.claimId }, done)).toBe('stale');
    expect((await task()).state).toBe('running');
    expect(engine.mail).toEqual([]);
  });

  it('that failed waits for its next attempt, or ends the task', async () => {
    await finishAttempt(engine.ports, await claimed(), failing('network'));
    const waiting = await task();
    expect(waiting).toMatchObject({ state: 'pending', live: true, settled: false });
    expect(waiting.notBefore).toBeGreaterThanOrEqual(engine.clock.now());
    expect(waiting.notBefore).toBeLessThanOrEqual(engine.clock.now() + POLICY.retryBaseMs);
    engine.clock.advance(POLICY.retryBaseMs);
    await finishAttempt(engine.ports, await claimed({}, 2), failing('invalid_input'));
    const ended = await task();
    expect(ended).toMatchObject({ state: 'failed', live: false, settled: false });
    expect(ended.attempts.map(({ exit }) => exit?.class)).toEqual(['transient', 'user']);
    expect(foldHistory(ended.history)).toBe('failed');
  });

  it('of an optional task that failed lets the others go on', async () => {
    await finishAttempt(engine.ports, await claimed({ optional: true }), failing('forbidden'));
    expect(await task()).toMatchObject({ state: 'failed', settled: true, live: false });
  });

  it('charges what was set aside and never settled', async () => {
    const fence = await claimed();
    await reserve(engine.ports, fence, { microUsd: 40_000, model: 'm' });
    await settle(engine.ports, fence, {
      reservedMicroUsd: 40_000,
      spentMicroUsd: 10_000,
      usage,
      answered: true,
    });
    await reserve(engine.ports, fence, { microUsd: 30_000, model: 'm' });
    engine.clock.advance(POLICY.leaseMs + 1);
    await sweep(engine.ports);
    expect((await task()).attempts[0]?.meter).toMatchObject({
      spentMicroUsd: 40_000,
      reservedMicroUsd: 0,
      calls: 1,
    });
  });

  it('is stored with every verdict where the checks were noisy in whatever script', async () => {
    const fence = await claimed({ instructions: '漢'.repeat(20_000) });
    const checks = Array.from({ length: 20 }, (_, n) => ({
      command: `npm run check-${n}`,
      exitCode: n % 2,
      passed: n % 2 === 0,
      summary: '',
      outputTail: '漢'.repeat(8_000),
      durationMs: 1,
    }));
    expect(await finishAttempt(engine.ports, fence, { ...done, checks })).toBe('stored');
    const stored = (await task()).result?.checks ?? [];
    expect(stored.map(({ command, passed }) => [command, passed])).toEqual(
      checks.map(({ command, passed }) => [command, passed]),
    );
    expect(stored.filter(({ outputTail }) => outputTail !== '').every(({ passed }) => !passed)).toBe(true);
    expect(stored.filter(({ outputTail }) => outputTail !== '')).toHaveLength(10);
  });
});
