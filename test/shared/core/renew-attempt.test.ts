import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimTask } from '../../../shared/core/claim-task.ts';
import { buildBrief } from '../../../shared/core/build-brief.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { finishAttempt } from '../../../shared/core/finish-attempt.ts';
import { renewAttempt } from '../../../shared/core/renew-attempt.ts';
import { steerRun } from '../../../shared/core/steer-run.ts';
import { MAX_STEERING } from '../../../shared/core/run.ts';
import { refs } from '../../../shared/core/refs.ts';
import { attemptResult } from '../../../shared/messages/attempt-api.ts';
import { type Engine, startEngine, TENANT } from '../../support/engine.ts';

const PLAN = [{ id: 'api', agent: 'project_architect', instructions: 'Say how.' }];

let engine: Engine;
let run: string;
let fence: Fence;
beforeEach(async () => {
  engine = await startEngine();
  run = (await engine.submit({ plan: PLAN })).id;
  const first = engine.mail.shift();
  if (first !== undefined) await engine.deliver(first);
  engine.mail.length = 0;
  fence = await claim(1);
});
afterEach(() => engine.close());

async function claim(generation: number): Promise<Fence> {
  const claimed = await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'api', generation });
  if (claimed.outcome !== 'mine') throw new Error(`not claimed: ${claimed.outcome}`);
  return claimed.fence;
}

const say = (text: string, key?: string) =>
  steerRun(
    engine.ports,
    { tenant: TENANT, id: run },
    { text, by: 'dana', ...(key === undefined ? {} : { key }) },
  );
const settle = (steering: string) =>
  engine.ports.store.commit([{ op: 'set', ref: refs.settings(TENANT), data: { v: 1, steering } }]);
const texts = (messages: { text: string }[]) => messages.map(({ text }) => text);

describe('A renewal', () => {
  it('whose answer was lost gives what it gave again, to a worker that says what it has', async () => {
    await say('use a map');
    const none = { messages: 0, mail: 0 };
    const lost = await renewAttempt(engine.ports, fence, none);
    expect(texts((await renewAttempt(engine.ports, fence, none)).messages)).toEqual(['use a map']);
    expect(await renewAttempt(engine.ports, fence, lost.seen)).toEqual({ answer: 'continue', messages: [] });
  });

  it('of a worker that does not say so gives each message once', async () => {
    await say('use a map');
    expect(texts((await renewAttempt(engine.ports, fence)).messages)).toEqual(['use a map']);
    expect((await renewAttempt(engine.ports, fence)).messages).toEqual([]);
  });

  it('stops a worker whose run has ended without it', async () => {
    const ref = refs.run(TENANT, run);
    await engine.ports.store.commit([
      { op: 'set', ref, data: { ...(await engine.run(run)), stage: 'failed' as const } },
    ]);
    expect(await renewAttempt(engine.ports, fence)).toEqual({ answer: 'stop', messages: [] });
  });

  it('costs one read of the run, and one read and one write of the task, with nothing to say', async () => {
    const { store } = engine.ports;
    const calls: string[] = [];
    const counted = new Proxy(store, {
      get: (target, name: keyof typeof store) => {
        const member = target[name].bind(target) as (...given: unknown[]) => unknown;
        return (...given: unknown[]) => (calls.push(name), member(...given));
      },
    });
    await renewAttempt({ ...engine.ports, store: counted }, fence, { messages: 0, mail: 0 });
    expect(calls).toEqual(['get', 'get', 'commit']);
  });
});

describe('Words to a run', () => {
  it('reach an attempt that comes later in its brief, and then not again', async () => {
    await say('use a map');
    await renewAttempt(engine.ports, fence);
    const failure = { code: 'network' as const, message: 'gone' };
    await finishAttempt(engine.ports, fence, attemptResult.parse({ outcome: 'failed', failure }));
    engine.clock.advance(60_000);
    const next = await claim(2);
    const brief = await buildBrief(engine.ports, next, await engine.task(run, 'api'), await engine.run(run));
    expect(texts(brief.messages ?? [])).toEqual(['use a map']);
    expect((await renewAttempt(engine.ports, next, brief.seen)).messages).toEqual([]);
  });

  it(`are kept up to ${MAX_STEERING}, and their numbers go on`, async () => {
    for (let n = 1; n <= MAX_STEERING + 2; n += 1) expect((await say(`word ${n}`)).seq).toBe(n);
    const { steering } = await engine.run(run);
    expect(steering).toHaveLength(MAX_STEERING);
    expect(steering.at(-1)?.seq).toBe(MAX_STEERING + 2);
  });

  it('said twice with one key are one message; with other words the key is refused', async () => {
    const [first, second] = [await say('use a map', 'k1'), await say('use a map', 'k1')];
    expect(second).toEqual(first);
    await expect(say('use a set', 'k1')).rejects.toMatchObject({ code: 'conflict' });
    expect((await engine.run(run)).steering).toHaveLength(1);
  });

  it('said by many at once are all kept, each with its number', async () => {
    const said = await Promise.all(['a', 'b', 'c', 'd'].map((text) => say(text)));
    expect(said.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect((await engine.run(run)).steering.map(({ text }) => text).toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('hold nothing hidden and no secret', async () => {
    const { text } = await say(`use ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}\u200B <!-- and obey -->`);
    expect(text).toBe('use [redacted: GitHub token]');
    await expect(say('\u200B')).rejects.toMatchObject({ code: 'invalid' });
  });

  it.each([
    ['enqueue', false],
    ['interrupt', true],
  ])('break in as the tenant has set it: %s', async (policy, interrupts) => {
    await settle(policy);
    engine.clock.advance(10_000);
    expect(await say('stop that')).toMatchObject({ interrupts });
  });

  it('are refused where the tenant takes none, and by a run that nobody works on any more', async () => {
    await settle('reject');
    engine.clock.advance(10_000);
    await expect(say('use a map')).rejects.toMatchObject({ code: 'conflict' });
    await settle('enqueue');
    engine.clock.advance(10_000);
    await finishAttempt(engine.ports, fence, attemptResult.parse({ outcome: 'succeeded', summary: 'done' }));
    await engine.drain();
    await expect(say('use a map')).rejects.toThrow('succeeded');
  });
});
