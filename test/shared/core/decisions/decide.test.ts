import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../../shared/core/cancel-run.ts';
import { decide } from '../../../../shared/core/decisions/decide.ts';
import type { Decision, DecisionAnswer } from '../../../../shared/core/decisions/decision.ts';
import { openDecision } from '../../../../shared/core/decisions/open-decision.ts';
import { foldHistory } from '../../../../shared/core/history.ts';
import type { Ports } from '../../../../shared/core/ports.ts';
import { decisionsOf, refs } from '../../../../shared/core/refs.ts';
import { MAX_ATTEMPTS, spentMicroUsd, type Task } from '../../../../shared/core/task.ts';
import type { Store } from '../../../../shared/ports/store.ts';
import { attemptOf } from '../../../support/records.ts';
import { blockedRun, blockedTask, LIMIT } from '../../../support/blocked-run.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';

const RAISE: DecisionAnswer = { option: 'raise' };
const STOP: DecisionAnswer = { option: 'stop' };

describe('a decision about a budget', () => {
  let engine: Engine;
  let decision: string;
  beforeEach(async () => {
    engine = await startEngine();
    [decision = ''] = (await blockedRun(engine.ports)).decisions;
    engine.mail.length = 0;
  });
  afterEach(() => engine.close());

  const answer = (given: DecisionAnswer, id = decision, ports: Ports = engine.ports): Promise<Decision> =>
    decide(ports, { tenant: TENANT, id }, given, 'dana');
  const read = async (id = decision) => (await engine.ports.store.get(refs.decision(TENANT, id)))?.data;
  const all = async () =>
    (await engine.ports.store.query<Decision>({ from: { collection: decisionsOf(TENANT) }, limit: 100 }))
      .documents;
  const set = (task: Task) =>
    engine.ports.store.commit([{ op: 'set', ref: refs.task(TENANT, 'run1', task.id), data: task }]);
  const dispatched = () =>
    engine.mail.filter(({ topic }) => topic === 'task-dispatched').map(({ message }) => message);

  it('names the run, what was spent and the ways out, and its id stands in the task', async () => {
    expect(await read()).toMatchObject({
      run: 'run1',
      task: 'api',
      kind: 'budget_raise',
      state: 'open',
      safeOption: 'stop',
      question: expect.stringContaining('spent $0.49 of its $0.50, and run run1 may spend $2.00'),
      options: [{ id: 'raise', needs: 'budgetUsd' }, { id: 'stop' }],
    });
    expect(decision).toMatch(/^[a-z0-9]{10}$/);
    const task = await engine.task('run1', 'api');
    expect(task.history.at(-1)).toMatchObject({ state: 'blocked', by: 'decision' });
    expect(task.history.at(-1)?.note).toContain(decision);
    expect(foldHistory(task.history)).toBe('blocked');
  });

  it('is asked once, however often and by however many at the same time', async () => {
    const task = blockedTask({ id: 'docs' });
    await engine.ports.store.create(refs.task(TENANT, 'run1', 'docs'), task);
    await Promise.all([1, 2, 3].map(() => openDecision(engine.ports, task)));
    const asked = await engine.task('run1', 'docs');
    await openDecision(engine.ports, asked);
    expect((await all()).filter(({ data }) => data.task === 'docs')).toHaveLength(1);
    expect(asked.history).toHaveLength(task.history.length + 1);
    expect(await engine.task('run1', 'docs')).toEqual(asked);
  });

  it('is made known again by whoever comes by soon after, and not for ever', async () => {
    const target = { host: 'github' as const, repository: 'acme/todo', headBranch: 'penstock/run2' };
    await blockedRun(engine.ports, { run: { id: 'run2', targets: [target] } });
    const notices = () => engine.mail.filter(({ topic }) => topic === 'notification-requested').length;
    expect(notices()).toBe(1);
    await openDecision(engine.ports, await engine.task('run2', 'api'));
    expect(notices()).toBe(2);
    engine.clock.advance(11 * 60_000);
    await openDecision(engine.ports, await engine.task('run2', 'api'));
    expect(notices()).toBe(2);
  });

  it('raises to twice the total by default; all that is added is the task’s, which is tried again', async () => {
    const before = await engine.task('run1', 'api');
    expect(await answer(RAISE)).toMatchObject({
      state: 'decided',
      option: 'raise',
      actor: 'dana',
      budgetMicroUsd: 2 * LIMIT,
    });
    const run = await engine.run('run1');
    expect(run).toMatchObject({ budget: { limitMicroUsd: 2 * LIMIT }, chargedMicroUsd: 2 * LIMIT });
    expect(run.history.at(-1)).toMatchObject({
      state: 'executing',
      by: 'dana',
      note: 'budget raised from $2.00 to $4.00 for task api',
    });
    const task = await engine.task('run1', 'api');
    expect(task).toMatchObject({
      state: 'pending',
      notBefore: 0,
      allotmentMicroUsd: before.allotmentMicroUsd + LIMIT,
      maxAttempts: before.maxAttempts + 1,
    });
    expect(task.decision).toBeUndefined();
    expect(foldHistory(task.history)).toBe('pending');
    expect(dispatched()).toEqual([{ v: 1, tenant: TENANT, run: 'run1', task: 'api', generation: 2 }]);
  });

  it('raises to the total that is named, and the next attempt may spend all of it that is left', async () => {
    await answer({ option: 'raise', budgetMicroUsd: 2_600_000 });
    await engine.drain();
    const task = await engine.task('run1', 'api');
    expect(task).toMatchObject({ state: 'succeeded', allotmentMicroUsd: 1_100_000 });
    expect(task.attempts[1]?.meter.allowanceMicroUsd).toBe(1_100_000 - spentMicroUsd(blockedTask()));
    expect((await engine.run('run1')).stage).toBe('succeeded');
  });

  it('is no raise unless the new total is larger', async () => {
    const same = answer({ option: 'raise', budgetMicroUsd: LIMIT });
    await expect(same).rejects.toMatchObject({ code: 'invalid' });
    expect(await read()).toMatchObject({ state: 'open' });
    expect(await engine.task('run1', 'api')).toMatchObject({ state: 'blocked' });
  });

  it('stops: the task fails as it would have without anybody to ask, and the run ends', async () => {
    await answer({ ...STOP, comment: 'enough' });
    expect(await read()).toMatchObject({ state: 'decided', option: 'stop', comment: 'enough' });
    await engine.drain();
    expect(await engine.task('run1', 'api')).toMatchObject({ state: 'failed', live: false, settled: false });
    expect(await engine.run('run1')).toMatchObject({ stage: 'failed', reason: { code: 'budget' } });
  });

  it('lets what waits for an optional task go on when that is stopped', async () => {
    const needs = { dependencies: ['extra'], attempts: [], state: 'pending' as const };
    const { decisions } = await blockedRun(engine.ports, {
      run: { id: 'run2' },
      tasks: [
        { id: 'extra', optional: true, dependants: ['last'] },
        { id: 'last', ...needs },
      ],
    });
    await answer(STOP, decisions[0]);
    await engine.drain();
    expect(await engine.task('run2', 'extra')).toMatchObject({ state: 'failed', settled: true });
    expect(await engine.task('run2', 'last')).toMatchObject({ state: 'succeeded' });
  });

  it.each([
    ['an unknown decision', { id: 'nosuchone1', given: STOP, code: 'not_found' }],
    ['an option that it has not', { id: undefined, given: { option: 'maybe' }, code: 'invalid' }],
    [
      'an amount for stopping',
      { id: undefined, given: { option: 'stop', budgetMicroUsd: 3 * LIMIT }, code: 'invalid' },
    ],
  ])('refuses %s', async (_name, { id, given, code }) => {
    await expect(answer(given, id)).rejects.toMatchObject({ code });
    expect(await read()).toMatchObject({ state: 'open' });
  });

  it('is answered the same for the same answer again, which only dispatches again', async () => {
    const first = await answer({ option: 'raise', budgetMicroUsd: 3 * LIMIT });
    const run = await engine.run('run1');
    engine.mail.length = 0;
    expect(await answer(RAISE)).toEqual(first);
    expect(await answer({ option: 'raise', budgetMicroUsd: 3 * LIMIT })).toEqual(first);
    expect(await engine.run('run1')).toEqual(run);
    expect(dispatched()).toHaveLength(2);
  });

  it.each([STOP, { option: 'raise', budgetMicroUsd: 9 * LIMIT }])(
    'that was answered is not answered otherwise: %j',
    async (other) => {
      await answer(RAISE);
      await expect(answer(other)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('answered with raise by dana'),
      });
      expect(await engine.run('run1')).toMatchObject({ budget: { limitMicroUsd: 2 * LIMIT } });
    },
  );

  it('takes one of two different answers that come at once', async () => {
    const results = await Promise.allSettled([
      answer({ option: 'raise', budgetMicroUsd: 3 * LIMIT }),
      answer(STOP),
      answer({ option: 'raise', budgetMicroUsd: 4 * LIMIT }),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { option, budgetMicroUsd } = (await read()) ?? {};
    const { limitMicroUsd } = (await engine.run('run1')).budget;
    expect(limitMicroUsd).toBe(option === 'raise' ? budgetMicroUsd : LIMIT);
  });

  it('changes decision, run and task together or not at all, and a crash behind that is made good by the same answer', async () => {
    const deaf: Ports['queue'] = {
      publish: () => Promise.reject(new Error('the process dies')),
      close: () => Promise.resolve(),
    };
    await expect(answer(RAISE, decision, { ...engine.ports, queue: deaf })).rejects.toThrow('dies');
    expect(await read()).toMatchObject({ state: 'decided' });
    expect(await engine.task('run1', 'api')).toMatchObject({ state: 'pending' });
    expect(await engine.run('run1')).toMatchObject({ budget: { limitMicroUsd: 2 * LIMIT } });
    expect(dispatched()).toEqual([]);
    await answer(RAISE);
    expect(dispatched()).toHaveLength(1);
  });

  it('is void after a cancel, and says so', async () => {
    await cancelRun(engine.ports, TENANT, 'run1', 'dana');
    await engine.drain();
    await expect(answer(RAISE)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('void'),
    });
    expect(await read()).toMatchObject({ state: 'void' });
    expect(await engine.task('run1', 'api')).toMatchObject({ state: 'cancelled' });
    expect(await engine.run('run1')).toMatchObject({ stage: 'cancelled', budget: { limitMicroUsd: LIMIT } });
  });

  it('is void while its run is being cancelled', async () => {
    const run = await engine.run('run1');
    const ref = refs.run(TENANT, 'run1');
    await engine.ports.store.commit([{ op: 'set', ref, data: { ...run, stage: 'cancelling' } }]);
    await expect(answer(RAISE)).rejects.toMatchObject({ code: 'conflict' });
    expect(await read()).toMatchObject({ state: 'void' });
  });

  it('leaves the task of a paused run held: raised, but not begun', async () => {
    await set({ ...(await engine.task('run1', 'api')), held: true });
    await answer(RAISE);
    expect(await engine.task('run1', 'api')).toMatchObject({ state: 'pending', held: true });
    expect(dispatched()).toEqual([]);
  });

  it('cannot be raised when the task has made all the attempts there ever are', async () => {
    const attempts = Array.from({ length: MAX_ATTEMPTS }, (_, n) => attemptOf({ generation: n + 1 }));
    const { decisions } = await blockedRun(engine.ports, { run: { id: 'run2' }, tasks: [{ attempts }] });
    await expect(answer(RAISE, decisions[0])).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('answer with stop'),
    });
    await answer(STOP, decisions[0]);
    expect(await engine.task('run2', 'api')).toMatchObject({ state: 'failed' });
  });

  it('adds to the allotments of a run what it adds to its limit, so they never pass it', async () => {
    const free = { allotmentMicroUsd: 600_000 };
    const { decisions } = await blockedRun(engine.ports, {
      run: { id: 'run2' },
      tasks: [free, { ...free, id: 'docs' }, { ...free, id: 'late', state: 'pending', attempts: [] }],
    });
    const shared = async () => {
      const tasks = await engine.tasks('run2');
      return {
        allotted: tasks.reduce((sum, task) => sum + task.allotmentMicroUsd, 0),
        limit: (await engine.run('run2')).budget.limitMicroUsd,
      };
    };
    await answer({ option: 'raise', budgetMicroUsd: 5 * LIMIT }, decisions[0]);
    const between = await shared();
    const [next] = (await all()).filter(({ data }) => data.run === 'run2' && data.state === 'open');
    await answer({ option: 'raise', budgetMicroUsd: 6 * LIMIT }, next?.data.id);
    const end = await shared();
    expect([between.limit, end.limit]).toEqual([5 * LIMIT, 6 * LIMIT]);
    expect(between.allotted).toBe(4 * LIMIT + 1_800_000);
    expect(end.allotted).toBe(5 * LIMIT + 1_800_000);
  });

  describe('of which a run has two', () => {
    let both: string[];
    beforeEach(async () => {
      const tasks = [{}, { id: 'docs' }];
      both = (await blockedRun(engine.ports, { run: { id: 'run2' }, tasks })).decisions;
    });
    const openOf = async (id: string) =>
      (await all()).map(({ data }) => data).filter(({ run, state }) => run === id && state === 'open');

    it('asks the second again when the first has changed the total that it named', async () => {
      await answer(RAISE, both[0]);
      expect(await read(both[1])).toMatchObject({ state: 'void' });
      const [next, ...more] = await openOf('run2');
      expect(more).toEqual([]);
      expect(next?.question).toContain('may spend $4.00');
      expect(await engine.task('run2', 'docs')).toMatchObject({ state: 'blocked', decision: next?.id });
      await expect(answer(RAISE, both[1])).rejects.toMatchObject({ code: 'conflict' });
    });

    it('names what is asked instead when the answer comes before that', async () => {
      const run = await engine.run('run2');
      const raised = { ...run, budget: { limitMicroUsd: 3 * LIMIT } };
      await engine.ports.store.commit([{ op: 'set', ref: refs.run(TENANT, 'run2'), data: raised }]);
      const refused = await answer(RAISE, both[1]).then(
        () => '',
        (error: Error) => error.message,
      );
      const next = (await engine.task('run2', 'docs')).decision ?? '';
      expect(next).not.toBe(both[1]);
      expect(refused).toContain(`decision ${next} asks as things are now`);
      expect(await answer(RAISE, next)).toMatchObject({ budgetMicroUsd: 6 * LIMIT });
    });

    it('keeps the second as it is when the first is stopped', async () => {
      await answer(STOP, both[0]);
      expect((await openOf('run2')).map(({ id }) => id)).toEqual([both[1]]);
    });
  });
});

describe('a raise beside a budget that runs share', () => {
  let engine: Engine;
  afterEach(() => engine.close());

  async function start(settings: object, project?: string): Promise<string[]> {
    engine = await startEngine();
    await engine.ports.store.create(refs.settings(TENANT), { v: 1, ...settings });
    const tasks = [{}];
    const of = (id: string) => ({ run: { id, ...(project === undefined ? {} : { project }) }, tasks });
    const first = await blockedRun(engine.ports, of('run1'));
    const second = await blockedRun(engine.ports, of('run2'));
    return [...first.decisions, ...second.decisions];
  }
  const raise = (id: string | undefined, usd: number, ports: Ports = engine.ports) =>
    decide(ports, { tenant: TENANT, id: id ?? '' }, { option: 'raise', budgetMicroUsd: usd * 1e6 }, 'dana');

  it.each([
    ['the tenant’s', { monthlyBudgetUsd: 6 }, undefined, 'tenant local'],
    ['the project’s', { projectBudgetsUsd: { shop: 6 } }, 'shop', 'project shop'],
  ])('is refused when it would pass %s, and nothing of it stays', async (_name, settings, project, named) => {
    const [first] = await start(settings, project);
    await expect(raise(first, 4.5)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(named),
    });
    expect(await engine.run('run1')).toMatchObject({
      budget: { limitMicroUsd: LIMIT },
      chargedMicroUsd: LIMIT,
    });
    expect(await engine.task('run1', 'api')).toMatchObject({ state: 'blocked', decision: first });
    expect(await raise(first, 4)).toMatchObject({ state: 'decided' });
    expect(await engine.run('run1')).toMatchObject({ chargedMicroUsd: 4_000_000 });
  });

  it('never lets two raises at once pass it together', async () => {
    const [first, second] = await start({ monthlyBudgetUsd: 6 });
    const results = await Promise.allSettled([raise(first, 4), raise(second, 4)]);
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    const charged = (await engine.run('run1')).chargedMicroUsd + (await engine.run('run2')).chargedMicroUsd;
    expect(charged).toBeLessThanOrEqual(6_000_000);
  });

  it('is taken on what was looked at: a change of the run meanwhile is looked at again', async () => {
    const [first] = await start({ monthlyBudgetUsd: 6 });
    const { store } = engine.ports;
    let looks = 0;
    const sum: Store['sum'] = async (query) => {
      looks += 1;
      if (looks === 1) {
        const run = await engine.run('run1');
        const data = { ...run, chargedMicroUsd: LIMIT };
        await store.commit([{ op: 'set', ref: refs.run(TENANT, 'run1'), data }]);
      }
      return store.sum(query);
    };
    await raise(first, 4, { ...engine.ports, store: { ...store, sum } });
    expect(looks).toBe(2);
    expect(await engine.run('run1')).toMatchObject({ chargedMicroUsd: 4_000_000 });
  });
});
