import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AskedStage } from '../../shared/messages/stages.ts';
import { type Asked, type StagesStandIn, startStages } from './stages-stand-in.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CLAIM = /^POST .*\/claim$/;
const READ = /^GET /;

describe('workflows/requirement.yaml', () => {
  let stand: StagesStandIn;
  beforeEach(() => {
    stand = startStages('requirement');
  });
  const stages = () => stand.asked.map(({ stage }) => stage);
  /** Until the stage that is named everything goes well; that one is the test's. */
  const stopAt = (stage: AskedStage): void => {
    const { onAsk } = stand;
    stand.onAsk = (asked) => (asked.stage === stage ? undefined : onAsk(asked));
  };
  const last = (): Asked => stand.asked.at(-1) ?? { stage: 'plan', execution: '', callback: '', sequence: 0 };

  it('asks for one stage after the other, each with a callback of its own', async () => {
    const id = await stand.start();
    expect(await stand.result(id)).toEqual({ run: 'abcd1234', stage: 'succeeded', reason: null });
    expect(stages()).toEqual(['plan', 'execute', 'integrate', 'review', 'close']);
    expect(new Set(stand.asked.map(({ callback }) => callback)).size).toBe(5);
    expect(stand.asked.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
  });

  it('waits for a person where the run does', async () => {
    stopAt('approve');
    const { onAsk } = stand;
    stand.onAsk = (asked) => {
      if (asked.stage === 'plan') stand.over({ stage: 'awaiting_approval', decision: 'd1' });
      return asked.stage === 'plan' ? stand.wake(asked) : onAsk(asked);
    };
    const id = await stand.start();
    expect((await stand.settled(id)).state).toBe('active');
    expect(stages()).toEqual(['plan', 'approve']);
    stand.over({ decision: null });
    await stand.wake(last());
    expect(await stand.result(id)).toMatchObject({ stage: 'succeeded' });
    expect(stages()).toEqual(['plan', 'approve', 'execute', 'integrate', 'review', 'close']);
  });

  it.each(['plan', 'approve', 'execute', 'integrate', 'review', 'close'] as const)(
    'ends with a run that ends in stage %s',
    async (end) => {
      const { onAsk } = stand;
      stand.onAsk = (asked) => {
        if (asked.stage === end) stand.over({ stage: 'failed', ended: true, reason: 'budget' });
        else if (asked.stage === 'plan' && end === 'approve') stand.over({ stage: 'awaiting_approval' });
        else return onAsk(asked);
        return stand.wake(asked);
      };
      const id = await stand.start();
      expect(await stand.result(id)).toMatchObject({ stage: 'failed', reason: 'budget' });
      expect(last().stage).toBe(end);
    },
  );

  it('leaves the run to the execution that has it', async () => {
    stopAt('plan');
    const first = await stand.start();
    await stand.settled(first);
    const second = await stand.start();
    expect(await stand.result(second)).toEqual({ run: 'abcd1234', stage: 'refused', reason: 'claimed' });
    expect((await stand.settled(first)).state).toBe('active');
    expect(stand.asked.map(({ execution }) => execution)).toEqual([first]);
  });

  it.each([
    ['the claim', 503, CLAIM],
    ['a stage', 503, /\/stages\/execute$/],
    ['reading', 503, READ],
    ['the claim', 500, CLAIM],
    ['a stage', 500, /\/stages\/execute$/],
    ['reading', 500, READ],
    ['reading', 429, READ],
  ])('asks again for %s after an answer %i, with what it asked before', async (_name, status, pattern) => {
    stand.fail(pattern, status, 3);
    const id = await stand.start();
    await stand.settled(id);
    await stand.clock.advance(60_000);
    expect(await stand.result(id)).toMatchObject({ stage: 'succeeded' });
    expect(stages()).toEqual(['plan', 'execute', 'integrate', 'review', 'close']);
  });

  it('outlasts an outage of nearly two hours', async () => {
    stand.fail(CLAIM, 500, 120);
    const id = await stand.start();
    await stand.settled(id);
    await stand.clock.advance(1.9 * HOUR_MS);
    expect((await stand.settled(id)).state).toBe('active');
    await stand.clock.advance(0.1 * HOUR_MS);
    expect(await stand.result(id)).toMatchObject({ stage: 'succeeded' });
  });

  it.each([
    ['is refused', 403, 1],
    ['is not answered for many hours', 500, 200],
  ])('fails when what it asks %s, and the sweep ends its run', async (_name, status, times) => {
    stand.fail(READ, status, times);
    const id = await stand.start();
    await stand.settled(id);
    await stand.clock.advance(3 * HOUR_MS);
    expect(await stand.settled(id)).toMatchObject({
      state: 'failed',
      error: { context: expect.stringContaining(String(status)) },
    });
  });

  it('finds out by itself what a lost callback would have told, after an hour of planning and a day of all else', async () => {
    stopAt('plan');
    const id = await stand.start();
    await stand.settled(id);
    stand.over();
    await stand.clock.advance(HOUR_MS - 1_000);
    expect(stages()).toEqual(['plan']);
    stopAt('execute');
    await stand.clock.advance(1_000);
    expect(stages()).toEqual(['plan', 'execute']);
    stand.over({ stage: 'succeeded', ended: true });
    await stand.clock.advance(DAY_MS - 1_000);
    expect((await stand.settled(id)).state).toBe('active');
    await stand.clock.advance(1_000);
    expect(await stand.result(id)).toMatchObject({ stage: 'succeeded' });
  });

  it('asks again, with another callback, for what is not over when its time has come', async () => {
    stopAt('plan');
    const id = await stand.start();
    await stand.settled(id);
    const early = last();
    await stand.clock.advance(HOUR_MS);
    expect(last()).toMatchObject({ stage: 'plan', sequence: 2 });
    expect(last().callback).not.toBe(early.callback);
    // The late one is for an endpoint at which nobody waits.
    await stand.wake(early);
    expect((await stand.settled(id)).state).toBe('active');
    stand.over();
    await stand.wake(last());
    expect(await stand.result(id)).toMatchObject({ stage: 'succeeded' });
  });

  it('believes no callback: what is not over is asked for again', async () => {
    stopAt('execute');
    const id = await stand.start();
    await stand.settled(id);
    await stand.wake(last());
    await stand.settled(id);
    expect(stages()).toEqual(['plan', 'execute', 'execute']);
    stand.over();
    await stand.wake(last());
    expect(await stand.result(id)).toMatchObject({ stage: 'succeeded' });
  });

  it('takes a callback that comes twice as one', async () => {
    stopAt('execute');
    const id = await stand.start();
    await stand.settled(id);
    stand.over();
    const asked = last();
    const both = await Promise.allSettled([stand.wake(asked), stand.wake(asked)]);
    expect(both[0]?.status).toBe('fulfilled');
    expect(await stand.result(id)).toMatchObject({ stage: 'succeeded' });
    expect(stages()).toEqual(['plan', 'execute', 'integrate', 'review', 'close']);
  });

  it('asks for nothing more once it is cancelled, and whoever wakes it then is as good as heard', async () => {
    stopAt('execute');
    const id = await stand.start();
    await stand.settled(id);
    await stand.workflows.cancel({ workflow: 'requirement', id });
    expect(await stand.workflows.state({ workflow: 'requirement', id })).toBe('cancelled');
    stand.over();
    await stand.wake(last());
    await stand.clock.advance(DAY_MS);
    expect(stages()).toEqual(['plan', 'execute']);
  });
});
