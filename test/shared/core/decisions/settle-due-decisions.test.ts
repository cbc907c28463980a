import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decide } from '../../../../shared/core/decisions/decide.ts';
import type { Decision } from '../../../../shared/core/decisions/decision.ts';
import { settleDueDecisions } from '../../../../shared/core/decisions/settle-due-decisions.ts';
import { voidDecisions } from '../../../../shared/core/decisions/void-decisions.ts';
import { decisionsOf, refs } from '../../../../shared/core/refs.ts';
import { blockedRun, LIMIT } from '../../../support/blocked-run.ts';
import { silent, startEngine, TENANT, type Engine } from '../../../support/engine.ts';

const HOUR = 3_600_000;

describe('a decision that nobody answers', () => {
  let engine: Engine;
  let decision: string;
  beforeEach(async () => {
    engine = await startEngine();
    const target = { host: 'github' as const, repository: 'acme/todo', headBranch: 'penstock/run1' };
    [decision = ''] = (await blockedRun(engine.ports, { run: { targets: [target] } })).decisions;
    engine.mail.length = 0;
  });
  afterEach(() => engine.close());
  const read = async (id = decision) => (await engine.ports.store.get(refs.decision(TENANT, id)))?.data;
  const settle = () => settleDueDecisions(engine.ports);
  const notices = () => engine.mail.filter(({ topic }) => topic === 'notification-requested').length;

  it('is left alone for a day', async () => {
    engine.clock.advance(24 * HOUR - 1);
    expect(await settle()).toBe(0);
    expect(notices()).toBe(0);
  });

  it('is brought to mind once after a day', async () => {
    engine.clock.advance(24 * HOUR);
    expect(await settle()).toBe(1);
    expect(notices()).toBe(1);
    engine.clock.advance(HOUR);
    expect(await settle()).toBe(0);
    expect(notices()).toBe(1);
    expect(await read()).toMatchObject({ state: 'open' });
  });

  it('is brought to mind again when the notice could not be sent', async () => {
    engine.clock.advance(24 * HOUR);
    const deaf = { publish: () => Promise.reject(new Error('no queue')), close: () => Promise.resolve() };
    const said: string[] = [];
    const log = { ...silent, error: (message: string) => void said.push(message) };
    await settleDueDecisions({ ...engine.ports, queue: deaf, log });
    expect(said).toEqual([
      expect.stringMatching(`^decision ${decision} of run run1 .*: no queue; answer it`),
    ]);
    expect(await settle()).toBe(1);
    expect(notices()).toBe(1);
  });

  it('takes the safe option after three days: the task fails and the run ends', async () => {
    engine.clock.advance(24 * HOUR);
    await settle();
    engine.clock.advance(48 * HOUR);
    expect(await settle()).toBe(1);
    expect(await read()).toMatchObject({ state: 'expired', option: 'stop', actor: 'deadline' });
    const task = await engine.task('run1', 'api');
    expect(task.history.at(-1)).toMatchObject({ state: 'failed', by: 'deadline' });
    expect(await engine.run('run1')).toMatchObject({ stage: 'failed', reason: { code: 'budget' } });
    const late = decide(engine.ports, { tenant: TENANT, id: decision }, { option: 'raise' }, 'dana');
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect(await settle()).toBe(0);
  });

  it('expires without a reminder when nobody swept before', async () => {
    engine.clock.advance(100 * HOUR);
    await settle();
    expect(await read()).toMatchObject({ state: 'expired' });
  });

  it('keeps the times that its tenant has set', async () => {
    const settings = { v: 1 as const, decisionReminderHours: 1, decisionDeadlineHours: 2 };
    await engine.ports.store.create(refs.settings(TENANT), settings);
    engine.clock.advance(5_000);
    const { decisions } = await blockedRun(engine.ports, { run: { id: 'run2' } });
    engine.clock.advance(2 * HOUR);
    await settle();
    expect(await read(decisions[0])).toMatchObject({ state: 'expired' });
    expect(await read()).toMatchObject({ state: 'open' });
  });

  it('becomes void at its time when its task has gone on without it', async () => {
    const task = await engine.task('run1', 'api');
    const ref = refs.task(TENANT, 'run1', 'api');
    await engine.ports.store.commit([{ op: 'set', ref, data: { ...task, state: 'cancelled', live: false } }]);
    engine.clock.advance(24 * HOUR);
    await settle();
    expect(await read()).toMatchObject({ state: 'void' });
    expect(notices()).toBe(0);
  });

  it('is asked anew at its deadline where the total that it named has changed, instead of stopping the task', async () => {
    const run = await engine.run('run1');
    const data = { ...run, budget: { limitMicroUsd: 3 * LIMIT } };
    await engine.ports.store.commit([{ op: 'set', ref: refs.run(TENANT, 'run1'), data }]);
    engine.clock.advance(72 * HOUR);
    await settle();
    expect(await read()).toMatchObject({ state: 'void' });
    const task = await engine.task('run1', 'api');
    expect(task.state).toBe('blocked');
    expect(await read(task.decision)).toMatchObject({
      state: 'open',
      question: expect.stringContaining('may spend $6.00'),
    });
  });

  it('is void once its task has ended otherwise, and one that was answered stays so', async () => {
    const task = await engine.task('run1', 'api');
    await voidDecisions(engine.ports, [task]);
    expect(await read()).toMatchObject({ state: 'void' });
    const { decisions } = await blockedRun(engine.ports, { run: { id: 'run2' } });
    const asked = await engine.task('run2', 'api');
    await decide(engine.ports, { tenant: TENANT, id: decisions[0] ?? '' }, { option: 'stop' }, 'dana');
    await voidDecisions(engine.ports, [asked]);
    expect(await read(decisions[0])).toMatchObject({ state: 'decided' });
  });

  it('is one of at most as many as a page holds in one sweep', async () => {
    const [found] = (
      await engine.ports.store.query<Decision>({ from: { collection: decisionsOf(TENANT) }, limit: 1 })
    ).documents;
    const copies = Array.from({ length: 320 }, (_, n) => ({
      op: 'create' as const,
      ref: refs.decision(TENANT, `copy${n}`),
      data: { ...found?.data, id: `copy${n}` },
    }));
    await engine.ports.store.commit(copies);
    engine.clock.advance(24 * HOUR);
    expect(await settle()).toBe(300);
    expect(await settle()).toBe(21);
    expect(await settle()).toBe(0);
  });
});
