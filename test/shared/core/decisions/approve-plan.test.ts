import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../../shared/core/cancel-run.ts';
import { decide } from '../../../../shared/core/decisions/decide.ts';
import type { Decision } from '../../../../shared/core/decisions/decision.ts';
import { settleDueDecisions } from '../../../../shared/core/decisions/settle-due-decisions.ts';
import { askStage } from '../../../../shared/core/drivers/ask-stage.ts';
import { claimRun } from '../../../../shared/core/drivers/claim-run.ts';
import { driverView } from '../../../../shared/core/drivers/driver-view.ts';
import { foldHistory } from '../../../../shared/core/history.ts';
import { decisionsOf, refs } from '../../../../shared/core/refs.ts';
import { sweep } from '../../../../shared/core/sweep.ts';
import { autonomyOf } from '../../../../shared/core/views/autonomy.ts';
import { readFeed } from '../../../../shared/core/views/run-feed.ts';
import type { AskedStage } from '../../../../shared/messages/stages.ts';
import { DONE, startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { createHandWorkflows, type HandWorkflows } from '../../../support/hand-workflows.ts';
import { createSpendingModel } from '../../../support/spending-model.ts';

const HOUR = 3_600_000;
const planned = {
  id: 'a',
  title: 'a',
  agent: 'technical_writer',
  instructions: 'Do it.',
  dependencies: [],
  acceptance: ['npm test passes'],
  scope: [],
};
const output = JSON.stringify({ summary: 'the plan', tasks: [planned] });

describe('a plan that a person is asked about', () => {
  let engine: Engine;
  let hand: HandWorkflows;
  let id: string;
  const start = async (driver = 'direct'): Promise<void> => {
    hand = createHandWorkflows();
    engine = await startEngine({
      workflows: hand,
      policy: { drivers: ['requirement'] },
      model: createSpendingModel(),
      work: (_open, { topic }) =>
        Promise.resolve(
          topic === 'run-accepted' ? { outcome: 'succeeded', summary: 'planned', output } : DONE,
        ),
    });
    const data = { v: 1 as const, decisions: { approve_plan: 'ask' as const } };
    await engine.ports.store.create(refs.settings(TENANT), data);
    ({ id } = await engine.submit({ driver }));
    await engine.drain();
  };
  beforeEach(() => start());
  afterEach(() => engine.close());

  const run = () => engine.run(id);
  const decisionId = async () => (await run()).decision ?? '';
  const decision = async (named: string) =>
    (await engine.ports.store.get(refs.decision(TENANT, named)))?.data;
  const answer = async (option: string, named?: string) => {
    const settled = await decide(
      engine.ports,
      { tenant: TENANT, id: named ?? (await decisionId()) },
      { option },
      'dana',
    );
    await engine.drain();
    return settled;
  };
  const ask = async (stage: AskedStage, sequence: number) => {
    const callback = `cb${sequence}`;
    await askStage(engine.ports, { tenant: TENANT, run: id, execution: 'e1', stage, sequence, callback });
    await engine.drain();
  };

  it('waits in a stage of its own, with a question that names it', async () => {
    expect(await run()).toMatchObject({ stage: 'awaiting_approval', plan: { tasks: 1 } });
    expect(await decision(await decisionId())).toMatchObject({
      kind: 'approve_plan',
      state: 'open',
      run: id,
      safeOption: 'reject',
      options: [{ id: 'approve' }, { id: 'reject' }],
      question: expect.stringContaining('1 tasks and is estimated at'),
    });
    const { events = [] } = (await readFeed(engine.ports.store, TENANT, id)) ?? {};
    expect(events.filter(({ type }) => type === 'decision_needed')).toMatchObject([
      { state: 'awaiting_approval', note: expect.stringContaining(await decisionId()) },
    ]);
    expect(engine.worked.get('a')).toBeUndefined();
  });

  it('is asked once, whoever comes by', async () => {
    const before = await run();
    await sweep(engine.ports, { runCheckMs: 0 });
    await engine.drain();
    expect({ ...(await run()), checkedAt: 0 }).toEqual({ ...before, checkedAt: 0 });
    const { documents } = await engine.ports.store.query<Decision>({
      from: { collection: decisionsOf(TENANT) },
      limit: 10,
    });
    expect(documents).toHaveLength(1);
  });

  it('is executed when it is approved, by whom the history says', async () => {
    await answer('approve');
    const ended = await run();
    expect(ended).toMatchObject({ stage: 'succeeded', touches: 1 });
    expect(ended.history.map(({ state, by }) => `${state} ${by}`)).toEqual([
      'accepted api',
      'planning decomposition',
      'awaiting_approval decision',
      'awaiting_approval dana',
      'executing decomposition',
      'succeeded engine',
    ]);
    expect(foldHistory(ended.history)).toBe('succeeded');
    expect(engine.worked.get('a')).toBe(1);
  });

  it('ends the run when it is rejected, and nothing is executed', async () => {
    await answer('reject');
    expect(await run()).toMatchObject({
      stage: 'failed',
      reason: { code: 'plan_rejected', message: expect.stringContaining('rejected by dana') },
    });
    expect(engine.worked.get('a')).toBeUndefined();
  });

  it('takes one answer: the same again is the same, another is refused', async () => {
    const asked = await decisionId();
    const first = await answer('approve', asked);
    expect(await answer('approve', asked)).toEqual(first);
    await expect(answer('reject', asked)).rejects.toMatchObject({ code: 'conflict' });
    expect((await run()).stage).toBe('succeeded');
  });

  it('goes on after a crash behind the answer, because the record says what it was', async () => {
    const queue = { publish: () => Promise.reject(new Error('dies')), close: () => Promise.resolve() };
    const named = { tenant: TENANT, id: await decisionId() };
    await expect(decide({ ...engine.ports, queue }, named, { option: 'approve' }, 'dana')).rejects.toThrow(
      'dies',
    );
    await sweep(engine.ports, { runCheckMs: 0 });
    await engine.drain();
    expect((await run()).stage).toBe('succeeded');
  });

  it('is rejected by nobody in time, and the run says that it needed approval', async () => {
    engine.clock.advance(73 * HOUR);
    await settleDueDecisions(engine.ports);
    await engine.drain();
    expect(await run()).toMatchObject({ stage: 'failed', reason: { code: 'approval_required' } });
    expect((await run()).touches).toBeUndefined();
  });

  it('of which the answer is for another plan by now is void, and asked about again', async () => {
    const asked = await decisionId();
    const before = await run();
    const plan = { ...before.plan, hash: 'another' };
    await engine.ports.store.commit([
      {
        op: 'set',
        ref: refs.run(TENANT, id),
        data: { ...before, plan: plan as NonNullable<typeof before.plan> },
      },
    ]);
    await expect(answer('approve', asked)).rejects.toMatchObject({ code: 'conflict' });
    await engine.drain();
    expect(await decision(asked)).toMatchObject({ state: 'void' });
    const again = await decisionId();
    expect(again).not.toBe(asked);
    expect(await decision(again)).toMatchObject({ state: 'open' });
    await answer('approve');
    expect((await run()).stage).toBe('succeeded');
  });

  it('is void after a cancel', async () => {
    const asked = await decisionId();
    await cancelRun(engine.ports, TENANT, id, 'dana');
    expect(await decision(asked)).toMatchObject({ state: 'void' });
    await expect(answer('approve', asked)).rejects.toMatchObject({ code: 'conflict' });
    expect((await run()).stage).toBe('cancelled');
  });

  it('counts as a hand in it, and only what nobody touched counts as autonomous', async () => {
    await answer('approve');
    await engine.ports.store.commit([{ op: 'set', ref: refs.settings(TENANT), data: { v: 1 } }]);
    engine.clock.advance(6_000);
    await engine.submit({});
    await engine.drain();
    const { store } = engine.ports;
    expect(await autonomyOf(store, TENANT, [['succeeded', 2]])).toEqual({
      finished: 2,
      untouched: 1,
      rate: 0.5,
    });
    expect(await autonomyOf(store, TENANT, [])).toMatchObject({ rate: null });
  });

  describe('of a run that a workflow drives', () => {
    beforeEach(async () => {
      await engine.close();
      await start('requirement');
      await claimRun(engine.ports, { tenant: TENANT, run: id, execution: 'e1' });
      await ask('plan', 1);
    });

    it('wakes it, and again when the answer is there; then it waits for the next request', async () => {
      expect(driverView(await run())).toMatchObject({ stage: 'awaiting_approval', over: true });
      await ask('approve', 2);
      expect(driverView(await run())).toMatchObject({ stage: 'awaiting_approval', over: false });
      await answer('approve');
      expect(hand.wakes.map(({ stage }) => stage)).toEqual(['plan', 'approve']);
      expect((await run()).stage).toBe('awaiting_approval');
      await ask('execute', 3);
      expect((await run()).stage).toBe('succeeded');
    });

    it('takes an answer that comes before the workflow waits', async () => {
      await answer('approve');
      expect(hand.wakes.map(({ stage }) => stage)).toEqual(['plan']);
      await ask('approve', 2);
      expect(hand.wakes.map(({ stage }) => stage)).toEqual(['plan', 'approve']);
    });

    it('wakes it with the end of the run when it is rejected', async () => {
      await ask('approve', 2);
      await answer('reject');
      expect(driverView(await run())).toMatchObject({ ended: true, over: true, reason: 'plan_rejected' });
      expect(hand.wakes.map(({ stage }) => stage)).toEqual(['plan', 'approve']);
    });

    it('is kept once, by the platform, when the workflow asks to execute without asking a person', async () => {
      await ask('execute', 2);
      expect((await run()).stage).toBe('awaiting_approval');
      await answer('approve');
      expect((await run()).stage).toBe('succeeded');
    });
  });
});
