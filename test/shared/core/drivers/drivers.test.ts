import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../../shared/core/cancel-run.ts';
import { askStage } from '../../../../shared/core/drivers/ask-stage.ts';
import { claimRun } from '../../../../shared/core/drivers/claim-run.ts';
import { driverView } from '../../../../shared/core/drivers/driver-view.ts';
import { sweep } from '../../../../shared/core/sweep.ts';
import type { AskedStage } from '../../../../shared/messages/stages.ts';
import { startEngine, TENANT, type Engine, type EngineOptions } from '../../../support/engine.ts';
import { createHandWorkflows, type HandWorkflows } from '../../../support/hand-workflows.ts';

const step = (id: string) => ({ id, agent: 'technical_writer', instructions: 'Nothing.' });

describe('a run that a workflow drives', () => {
  let engine: Engine;
  let hand: HandWorkflows;
  let id: string;
  const start = async (options: EngineOptions = {}): Promise<void> => {
    hand = createHandWorkflows();
    engine = await startEngine({ workflows: hand, policy: { drivers: ['requirement'] }, ...options });
    ({ id } = await engine.submit({ driver: 'requirement', plan: [step('a')] }));
    await engine.drain();
  };
  beforeEach(() => start());
  afterEach(() => engine.close());

  const claim = (execution = 'e1') => claimRun(engine.ports, { tenant: TENANT, run: id, execution });
  const ask = async (stage: AskedStage, sequence: number, callback = `cb${sequence}`) => {
    await askStage(engine.ports, { tenant: TENANT, run: id, execution: 'e1', stage, sequence, callback });
    await engine.drain();
  };
  const stage = async () => (await engine.run(id)).stage;
  const sweepAll = async () => {
    await sweep(engine.ports, { runCheckMs: 0 });
    await engine.drain();
  };

  it('is given one execution, and stays accepted until that asks', async () => {
    expect(hand.started).toEqual([{ workflow: 'requirement', id: 'e1', run: id }]);
    expect(await engine.run(id)).toMatchObject({ stage: 'accepted', execution: { id: 'e1', starts: 1 } });
    await sweepAll();
    expect(hand.started).toHaveLength(1);
    expect(engine.worked.size).toBe(0);
  });

  it('goes on stage by stage, and wakes its workflow at the end of each', async () => {
    await claim();
    await ask('plan', 1);
    expect(driverView(await engine.run(id))).toMatchObject({ stage: 'planning', over: true, sequence: 2 });
    expect(engine.worked.size).toBe(0);
    await ask('execute', 2);
    expect(await stage()).toBe('succeeded');
    expect(hand.wakes).toEqual([
      { stage: 'plan', sequence: 1, execution: 'e1', callback: 'cb1' },
      { stage: 'execute', sequence: 2, execution: 'e1', callback: 'cb2' },
    ]);
    expect((await engine.run(id)).stageRequest?.state).toBe('delivered');
  });

  it('goes through everything before the stage that is asked for first', async () => {
    await claim();
    await ask('close', 1);
    expect(await stage()).toBe('succeeded');
    expect(hand.wakes.map((wake) => wake.stage)).toEqual(['close']);
  });

  it('wakes its workflow again at once for a stage that is over', async () => {
    await claim();
    await ask('plan', 1);
    await ask('plan', 2);
    expect(hand.wakes.map(({ callback }) => callback)).toEqual(['cb1', 'cb2']);
    expect(await stage()).toBe('planning');
  });

  it('takes the same request twice as one, and none out of turn', async () => {
    await claim();
    await ask('plan', 1);
    const before = await engine.run(id);
    await ask('plan', 1);
    expect(await engine.run(id)).toEqual(before);
    expect(hand.wakes).toHaveLength(1);
    for (const [next, seq, callback] of [
      ['plan', 1, 'other'],
      ['execute', 1, 'cb1'],
      ['execute', 3, 'cb3'],
    ] as const)
      await expect(ask(next, seq, callback)).rejects.toMatchObject({ code: 'conflict' });
    await ask('execute', 2);
    await expect(ask('plan', 3)).rejects.toMatchObject({ code: 'conflict' });
    expect((await engine.run(id)).stageRequest).toMatchObject({ stage: 'execute', seq: 2 });
  });

  it('belongs to the execution that claims it first', async () => {
    await expect(ask('plan', 1)).rejects.toMatchObject({ code: 'conflict' });
    await claim('e7');
    await claim('e7');
    await expect(claim('e1')).rejects.toMatchObject({ message: expect.stringContaining('e7 drives it') });
    await expect(ask('plan', 1)).rejects.toMatchObject({ code: 'conflict' });
    expect(await stage()).toBe('accepted');
  });

  it('cannot be claimed when its driver is direct', async () => {
    const { id: other } = await engine.submit({ plan: [step('a')] });
    await expect(
      claimRun(engine.ports, { tenant: TENANT, run: other, execution: 'e1' }),
    ).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('is woken by the sweep when its workflow could not be reached, however late', async () => {
    await claim();
    hand.isDown = true;
    await ask('plan', 1);
    await sweepAll();
    expect(hand.wakes).toEqual([]);
    expect(await engine.run(id)).toMatchObject({ stage: 'planning', undeliveredSince: expect.any(Number) });
    hand.isDown = false;
    await sweep(engine.ports);
    expect(hand.wakes.map(({ callback }) => callback)).toEqual(['cb1']);
    expect((await engine.run(id)).undeliveredSince).toBeUndefined();
    await sweep(engine.ports);
    expect(hand.wakes).toHaveLength(1);
  });

  it('wakes its workflow too when it has ended while nobody could be reached', async () => {
    await claim();
    hand.isDown = true;
    await ask('execute', 1);
    expect(await stage()).toBe('succeeded');
    hand.isDown = false;
    await sweep(engine.ports);
    expect(hand.wakes.map((wake) => wake.stage)).toEqual(['execute']);
  });

  it('is given another execution when the first ended without claiming it, and not for ever', async () => {
    for (let starts = 1; starts < 5; starts += 1) {
      hand.states.set(`e${starts}`, 'failed');
      await sweepAll();
      expect(await engine.run(id)).toMatchObject({ stage: 'accepted', execution: { id: `e${starts + 1}` } });
    }
    hand.states.set('e5', 'failed');
    await sweepAll();
    expect(await engine.run(id)).toMatchObject({ stage: 'failed', reason: { code: 'workflow_failed' } });
  });

  it.each(['failed', 'cancelled', 'succeeded'] as const)(
    'ends with its execution that has claimed it and %s before it',
    async (state) => {
      await claim();
      await ask('plan', 1);
      hand.states.set('e1', state);
      await sweepAll();
      expect(await engine.run(id)).toMatchObject({
        stage: 'failed',
        reason: { code: `workflow_${state}`, message: expect.stringContaining('execution e1') },
      });
    },
  );

  it('goes on while nobody can say what its execution does', async () => {
    await claim();
    hand.states.delete('e1');
    await sweepAll();
    hand.isDown = true;
    await sweepAll();
    hand.isDown = false;
    await ask('close', 1);
    expect(await stage()).toBe('succeeded');
  });

  it('takes its execution with it when it is cancelled, and is cancelled also where that cannot be reached', async () => {
    await claim();
    await ask('plan', 1);
    await cancelRun(engine.ports, TENANT, id, 'dana');
    expect([await stage(), hand.cancelled]).toEqual(['cancelled', ['e1']]);
    await start();
    hand.isDown = true;
    await cancelRun(engine.ports, TENANT, id, 'dana');
    expect(await stage()).toBe('cancelled');
    await expect(claim()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('begins nothing while it is paused, whatever is asked', async () => {
    const { pauseRun } = await import('../../../../shared/core/pause-run.ts');
    const { resumeRun } = await import('../../../../shared/core/resume-run.ts');
    await claim();
    await pauseRun(engine.ports, TENANT, id, 'dana');
    await ask('close', 1);
    expect(await stage()).toBe('accepted');
    await resumeRun(engine.ports, TENANT, id, 'dana');
    await engine.drain();
    expect(await stage()).toBe('succeeded');
  });

  it('ends with a reason where no workflows are run', async () => {
    const alone = await startEngine({ policy: { drivers: ['requirement'] } });
    try {
      const run = await alone.submit({ driver: 'requirement', plan: [step('a')] });
      await alone.drain();
      expect(await alone.run(run.id)).toMatchObject({ stage: 'failed', reason: { code: 'config' } });
    } finally {
      await alone.close();
    }
  });

  it('is accepted by the name of a driver that is known only, or of none', async () => {
    await expect(engine.submit({ driver: 'nobody' })).rejects.toMatchObject({
      message: "there is no driver 'nobody'; known drivers: direct, requirement",
    });
    expect((await engine.submit({})).driver).toBe('direct');
  });
});
