import { afterEach, describe, expect, it } from '@jest/globals';
import { attemptEndFields, runEndFields } from '../../../shared/core/end-fields.ts';
import { settleRun } from '../../../shared/core/settle-run.ts';
import { steerRun } from '../../../shared/core/steer-run.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import type { Log, LogFields } from '../../../shared/ports/log.ts';
import { type Engine, silent, startEngine, TENANT } from '../../support/engine.ts';
import { attemptOf, runOf, taskOf } from '../../support/records.ts';

const usage = { input: 900, output: 100, cacheRead: 8_000, cacheWrite: 50 };
const meterOf = (spentMicroUsd: number) => ({ ...attemptOf().meter, spentMicroUsd, usage, calls: 2 });

describe('the fields of the line that ends a run', () => {
  const run = runOf({
    stage: 'failed',
    createdAt: 10_000,
    endedAt: 82_500,
    touches: 2,
    driver: 'requirement',
  });

  it('are sums over all attempts of all its tasks, and the time from its acceptance', () => {
    const attempt = (generation: number) => attemptOf({ generation, meter: meterOf(12_300) });
    const tasks = [taskOf({ id: 'a', attempts: [attempt(1), attempt(2)] }), taskOf({ id: 'b' })];
    expect(runEndFields({ ...run, reason: { code: 'lost', message: '' } }, tasks)).toEqual({
      tenant: 'local',
      run: 'run1',
      reason: 'lost',
      driver: 'requirement',
      seconds: 72.5,
      attempts: 2,
      touches: 2,
      simulated: true,
      spentUsd: 0.0246,
      calls: 4,
      inputTokens: 1_800,
      outputTokens: 200,
      cacheReadTokens: 16_000,
      cacheWriteTokens: 100,
    });
  });

  it('are zeros where nothing was done, and no gaps', () => {
    const { touches: _none, ...untouched } = run;
    expect(runEndFields(untouched, [])).toMatchObject({
      attempts: 0,
      touches: 0,
      spentUsd: 0,
      cacheReadTokens: 0,
      simulated: false,
    });
  });
});

describe('the fields of the line that ends an attempt', () => {
  it("are the newest attempt's own", () => {
    const newest = attemptOf({
      generation: 2,
      provider: 'anthropic',
      model: 'model-1',
      startedAt: 1_000,
      endedAt: 4_200,
      meter: meterOf(7),
      exit: { outcome: 'failed', code: 'timeout' },
    });
    expect(
      attemptEndFields(taskOf({ attempts: [attemptOf({ meter: meterOf(5_000_000) }), newest] })),
    ).toEqual({
      tenant: 'local',
      run: 'run1',
      task: 'api',
      generation: 2,
      agent: 'backend_developer',
      lane: 'job',
      provider: 'anthropic',
      model: 'model-1',
      code: 'timeout',
      seconds: 3.2,
      spentUsd: 0.000007,
      calls: 2,
      inputTokens: 900,
      outputTokens: 100,
      cacheReadTokens: 8_000,
      cacheWriteTokens: 50,
    });
  });
});

describe('the lines that end runs and attempts', () => {
  let engine: Engine;
  afterEach(() => engine.close());

  it('come once each, however often the end is delivered or seen, and know of a hand in it', async () => {
    const lines: [string, LogFields | undefined][] = [];
    const log: Log = { ...silent, info: (message, fields) => void lines.push([message, fields]) };
    engine = await startEngine({
      log,
      play: (_, generation) => {
        if (generation > 1) return { outcome: 'succeeded', summary: 'done' };
        return { outcome: 'failed', failure: { code: 'invalid_output', message: 'nothing in it' } };
      },
    });
    engine.deliveries = 2;
    const work = { id: 'a', agent: 'technical_writer', instructions: 'Nothing.' };
    const { id } = await engine.submit({ plan: [work] });
    await steerRun(engine.ports, { tenant: TENANT, id }, { text: 'Briefly.', by: 'dana' });
    await engine.drain();
    engine.clock.advance(60_000);
    await sweep(engine.ports);
    await engine.drain();
    await Promise.all(Array.from({ length: 3 }, () => settleRun(engine.ports, TENANT, id)));
    expect(lines.map(([message]) => message)).toEqual([
      'attempt a/1 failed',
      'attempt a/2 succeeded',
      `run ${id} succeeded`,
    ]);
    expect(lines.at(-1)?.[1]).toMatchObject({ run: id, attempts: 2, touches: 1, seconds: 60 });
  });
});
