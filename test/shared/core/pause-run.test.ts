import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { claimTask } from '../../../shared/core/claim-task.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { finishAttempt } from '../../../shared/core/finish-attempt.ts';
import { foldHistory, MAX_HISTORY } from '../../../shared/core/history.ts';
import { pauseRun, settleHolds } from '../../../shared/core/pause-run.ts';
import { refs } from '../../../shared/core/refs.ts';
import { resumeRun } from '../../../shared/core/resume-run.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import { attemptResult, type AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import { DONE, startEngine, TENANT, type Engine, type Sent } from '../../support/engine.ts';
import { runOf, taskOf } from '../../support/records.ts';

const task = (id: string, dependencies: string[] = []) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: 'Nothing.',
});
const NETWORK: AttemptResultInput = {
  outcome: 'failed',
  failure: { code: 'network', message: 'no answer' },
};
const LONG_MS = 10 * 60_000;

describe('a paused run', () => {
  let engine: Engine;
  let run: string;
  const pause = (id = run) => pauseRun(engine.ports, TENANT, id, 'dana');
  const resume = (id = run) => resumeRun(engine.ports, TENANT, id, 'dana');
  const states = async (id = run) =>
    Object.fromEntries((await engine.tasks(id)).map(({ id: name, state }) => [name, state]));
  const dispatched = () =>
    engine.mail.map(({ topic, message }) => ('task' in message ? message.task : topic)).toSorted();

  beforeEach(async () => {
    engine = await startEngine();
    ({ id: run } = await engine.submit({ plan: [task('a'), task('b'), task('c', ['a'])] }));
  });
  afterEach(() => engine.close());

  /** `a` running, in a worker that the test plays; the dispatch of `b` on its way. */
  async function start(): Promise<Fence> {
    await engine.deliver(
      engine.mail.shift() ?? { topic: 'run-accepted', message: { v: 1, tenant: TENANT, run } },
    );
    const claim = await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
    if (claim.outcome !== 'mine') throw new Error('not claimed');
    engine.mail.splice(0, 1);
    return claim.fence;
  }
  const finish = (fence: Fence, result: AttemptResultInput = DONE) =>
    finishAttempt(engine.ports, fence, attemptResult.parse(result));

  it('lets what is under way come to its end, stores its result, and begins nothing new', async () => {
    const fence = await start();
    expect(await pause()).toMatchObject({ stage: 'executing', paused: true });
    expect(await finish(fence)).toBe('stored');
    engine.deliveries = 2;
    await engine.drain();
    expect(engine.worked.size).toBe(0);
    expect(await states()).toEqual({ a: 'succeeded', b: 'pending', c: 'pending' });
    expect((await engine.task(run, 'a')).result?.summary).toBe('done');
  });

  it('dispatches what is due when it is resumed, and nothing else', async () => {
    const fence = await start();
    await pause();
    await engine.drain();
    await resume();
    expect(dispatched()).toEqual(['b']);
    await pause();
    await finish(fence);
    await engine.drain();
    await resume();
    expect(dispatched()).toEqual(['b', 'c']);
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ b: 1, c: 1 });
    expect((await engine.run(run)).stage).toBe('succeeded');
  });

  it('does not try again what fails meanwhile, and does when it is resumed', async () => {
    const fence = await start();
    await pause();
    await finish(fence, NETWORK);
    for (let minutes = 0; minutes < 3; minutes += 1) {
      engine.clock.advance(LONG_MS);
      await sweep(engine.ports);
      await engine.drain();
    }
    expect(engine.worked.size).toBe(0);
    expect((await engine.task(run, 'a')).attempts).toHaveLength(1);
    await resume();
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ a: 1, b: 1, c: 1 });
    expect((await engine.run(run)).stage).toBe('succeeded');
  });

  it('tells in its history who paused and resumed it, without a change of its stage', async () => {
    await start();
    await pause();
    await resume();
    const { history, stage, paused } = await engine.run(run);
    expect(history.slice(-2)).toMatchObject([
      { state: 'executing', by: 'pause', note: 'paused by dana' },
      { state: 'executing', by: 'resume', note: 'resumed by dana' },
    ]);
    expect([foldHistory(history), paused]).toEqual([stage, false]);
  });

  it('may be paused and resumed twice', async () => {
    await start();
    await pause();
    const paused = await engine.run(run);
    await pause();
    expect(await engine.run(run)).toEqual(paused);
    await resume();
    const resumed = await engine.run(run);
    await resume();
    expect(await engine.run(run)).toEqual(resumed);
    expect((await engine.tasks(run)).map(({ held }) => held)).toEqual([false, false, false]);
  });

  it('is not prepared or planned before it is resumed', async () => {
    const { id: unplanned } = await engine.submit({});
    for (const id of [run, unplanned]) await pause(id);
    await engine.drain();
    for (const id of [run, unplanned]) {
      expect(await engine.run(id)).toMatchObject({ stage: 'accepted', paused: true });
      expect(await engine.tasks(id)).toEqual([]);
    }
    for (const id of [run, unplanned]) await resume(id);
    await engine.drain();
    expect(await engine.run(run)).toMatchObject({ stage: 'succeeded', paused: false });
    expect(Object.keys(await states(unplanned))).toEqual(['plan']);
  });

  it('keeps the plan that its architect comes back with, and follows it when it is resumed', async () => {
    await engine.close();
    const summary = 'the plan';
    const planned = { ...task('a'), title: 'a', acceptance: ['it is there'], scope: [] };
    const output = JSON.stringify({ summary, tasks: [planned] });
    engine = await startEngine({
      work: async (open, { topic }) => {
        await open();
        if (topic === 'run-accepted') await pause();
        return topic === 'run-accepted' ? { outcome: 'succeeded', summary, output } : DONE;
      },
    });
    ({ id: run } = await engine.submit({}));
    await engine.drain();
    expect(await engine.run(run)).toMatchObject({ stage: 'planning', paused: true });
    expect(await states()).toEqual({ plan: 'succeeded' });
    await resume();
    await engine.drain();
    expect(await states()).toEqual({ plan: 'succeeded', a: 'succeeded' });
    expect(Object.fromEntries(engine.worked)).toEqual({ plan: 1, a: 1 });
  });

  it('is not integrated before it is resumed', async () => {
    const api = taskOf({ state: 'succeeded', result: { summary: 'done', checks: [], filesRead: 0 } });
    const waiting = runOf({ stage: 'integrating', paused: true, changeOrder: ['api'] });
    await engine.ports.store.commit([
      { op: 'create', ref: refs.run(TENANT, waiting.id), data: waiting },
      { op: 'create', ref: refs.task(TENANT, waiting.id, api.id), data: api },
    ]);
    const hint: Sent = { topic: 'run-finished', message: { v: 1, tenant: TENANT, run: waiting.id } };
    await engine.deliver(hint);
    expect(await states(waiting.id)).toEqual({ api: 'succeeded' });
    engine.mail.length = 0;
    await resume(waiting.id);
    expect(engine.mail).toEqual([hint]);
    await engine.deliver(hint);
    expect(await states(waiting.id)).toEqual({ api: 'succeeded', 'integrate-1': 'pending' });
  });

  it('may come to its end when its last task does', async () => {
    ({ id: run } = await engine.submit({ plan: [task('a')] }));
    engine.mail.splice(0, 1);
    const fence = await start();
    await pause();
    await finish(fence);
    await engine.drain();
    expect(await engine.run(run)).toMatchObject({ stage: 'succeeded', paused: false });
  });

  it('can be cancelled, and is not paused any more then', async () => {
    await start();
    await pause();
    await engine.drain();
    expect(await cancelRun(engine.ports, TENANT, run, 'dana')).toMatchObject({
      stage: 'cancelling',
      paused: false,
    });
    await expect(pause()).rejects.toThrow(`run ${run} is being cancelled; there is nothing to pause`);
    expect(await states()).toEqual({ a: 'running', b: 'cancelled', c: 'cancelled' });
  });

  it('is none that has ended', async () => {
    await engine.drain();
    const before = await engine.run(run);
    await expect(pause()).rejects.toMatchObject({
      code: 'conflict',
      message: `run ${run} has already succeeded; there is nothing to pause`,
    });
    await expect(resume()).rejects.toMatchObject({ code: 'conflict' });
    expect(await engine.run(run)).toEqual(before);
  });

  it('keeps room in its history for its end', async () => {
    await start();
    const often = async () => {
      for (let n = 0; n < MAX_HISTORY; n += 1) {
        await pause();
        await resume();
      }
    };
    await expect(often()).rejects.toThrow(`run ${run} has been paused too often`);
    expect((await engine.run(run)).history.length).toBeLessThan(MAX_HISTORY - 50);
    expect((await engine.run(run)).paused).toBe(false);
  });

  it('has its tasks brought in line with it, whoever left them otherwise', async () => {
    await start();
    await pause();
    const paused = await engine.run(run);
    const held = async () => (await engine.tasks(run)).map((each) => each.held);
    // As a crash between the flag and its tasks leaves them.
    for (const name of ['a', 'c']) {
      const ref = refs.task(TENANT, run, name);
      await engine.ports.store.commit([
        { op: 'set', ref, data: { ...(await engine.task(run, name)), held: false } },
      ]);
    }
    await settleHolds(engine.ports, paused);
    expect(await held()).toEqual([true, true, true]);
    await resume();
    // Somebody who still thinks that it is paused finds out.
    await settleHolds(engine.ports, paused);
    expect(await held()).toEqual([false, false, false]);
  });
});

describe('pausing at any moment, with messages repeated and out of order', () => {
  it('begins nothing while it lasts, and loses nothing', async () => {
    const scenario = fc.record({
      before: fc.array(fc.nat({ max: 20 }), { maxLength: 8 }),
      during: fc.array(fc.nat({ max: 20 }), { maxLength: 12 }),
      after: fc.array(fc.nat({ max: 20 }), { maxLength: 12 }),
    });
    const plan = [task('a'), task('b'), task('c', ['a', 'b']), task('d', ['a']), task('e', ['c', 'd'])];
    await fc.assert(
      fc.asyncProperty(scenario, async ({ before, during, after }) => {
        const engine = await startEngine();
        try {
          const { id } = await engine.submit({ plan });
          /** Repeats one message and delivers another. */
          const shuffle = async (picks: number[]) => {
            for (const pick of picks) {
              const at = pick % Math.max(1, engine.mail.length);
              engine.mail.push(...engine.mail.slice(at, at + 1));
              for (const sent of engine.mail.splice((pick * 7) % Math.max(1, engine.mail.length), 1))
                await engine.deliver(sent);
            }
          };
          await shuffle(before);
          if ((await engine.run(id)).stage === 'succeeded') return;
          await pauseRun(engine.ports, TENANT, id, 'dana');
          const worked = new Map(engine.worked);
          await shuffle(during);
          await engine.drain();
          engine.clock.advance(LONG_MS);
          await sweep(engine.ports);
          await engine.drain();
          expect(engine.worked).toEqual(worked);
          const { stage } = await engine.run(id);
          if (stage !== 'succeeded') await resumeRun(engine.ports, TENANT, id, 'dana');
          await shuffle(after);
          await engine.drain();
          expect((await engine.run(id)).stage).toBe('succeeded');
          expect(Object.fromEntries(engine.worked)).toEqual({ a: 1, b: 1, c: 1, d: 1, e: 1 });
        } finally {
          await engine.close();
        }
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });
});
