import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decomposeRun } from '../../../../shared/core/decompose-run.ts';
import { readPlan } from '../../../../shared/core/plan/stored-plan.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { AttemptResultInput } from '../../../../shared/messages/attempt-api.ts';
import { DONE, startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { createSpendingModel } from '../../../support/spending-model.ts';
import { createSampleRepository, type SampleRepository } from '../../../support/sample-repository.ts';

const step = (id: string, dependencies: string[] = [], agent = 'technical_writer') => ({
  id,
  agent,
  dependencies,
  instructions: 'Do it.',
});
const planned = (id: string, changes: object = {}) => ({
  ...step(id),
  title: id,
  acceptance: ['npm test passes'],
  scope: [],
  ...changes,
});
const answer = (tasks: object[]): AttemptResultInput => ({
  outcome: 'succeeded',
  summary: 'the plan',
  output: JSON.stringify({ summary: 'the plan', tasks }),
});

describe('a plan that is accepted', () => {
  let engine: Engine;
  let sample: SampleRepository;
  /** What the architect answers, one after the other. */
  let answers: AttemptResultInput[];
  let told: string[];
  beforeEach(async () => {
    sample = createSampleRepository({ 'src/api.ts': 'x\n' });
    answers = [];
    told = [];
    engine = await startEngine({
      model: createSpendingModel(),
      work: async (open, { topic }) => {
        if (topic !== 'run-accepted') return DONE;
        told.push((await open()).attempt.brief.previousFailure ?? '');
        return answers.shift() ?? answer([]);
      },
    });
  });
  afterEach(async () => {
    await engine.close();
    sample.remove();
  });
  const target = () => ({ host: 'local-git' as const, repository: sample.folder });

  it('becomes tasks with their edges on both ends and a share of the budget, in one commit with the stage', async () => {
    const { id } = await engine.submit({
      plan: [step('a'), step('b', ['a']), step('c', ['a', 'b'])],
      budgetMicroUsd: 1_000_000,
    });
    await decomposeRun(engine.ports, { v: 1, tenant: TENANT, run: id });
    const tasks = await engine.tasks(id);
    expect(tasks.map(({ dependants, dependencies }) => ({ dependants, dependencies }))).toEqual([
      { dependants: ['b', 'c'], dependencies: [] },
      { dependants: ['c'], dependencies: ['a'] },
      { dependants: [], dependencies: ['a', 'b'] },
    ]);
    expect(tasks.reduce((sum, task) => sum + task.allotmentMicroUsd, 0)).toBeLessThanOrEqual(600_000);
    expect(await engine.run(id)).toMatchObject({ stage: 'executing', plan: { tasks: 3, parallel: 1 } });
    expect(engine.mail.map(({ topic, message }) => [topic, 'task' in message ? message.task : ''])).toEqual([
      ['run-accepted', ''],
      ['task-dispatched', 'a'],
    ]);
  });

  it('is started once, and again only dispatches what waits for nothing', async () => {
    const { id } = await engine.submit({ plan: [step('a'), step('b', ['a'])] });
    const hint = { v: 1 as const, tenant: TENANT, run: id };
    const both = await Promise.allSettled([
      decomposeRun(engine.ports, hint),
      decomposeRun(engine.ports, hint),
    ]);
    for (const each of both)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'conflict', retry: 'later' });
    engine.mail.length = 0;
    const before = await engine.run(id);
    await decomposeRun(engine.ports, hint);
    expect(await engine.run(id)).toEqual(before);
    expect(engine.mail.map(({ topic }) => topic)).toEqual(['task-dispatched']);
  });

  it('holds its assessments back until there is a pull request, also where their scope overlaps', async () => {
    const plan = [
      { ...step('judge', [], 'code_reviewer'), scope: ['src/**'] },
      { ...step('api', [], 'backend_developer'), scope: ['src/api.ts'] },
    ];
    const { id } = await engine.submit({ plan, target: target() });
    await engine.drain();
    expect((await engine.tasks(id)).map((task) => [task.id, task.dependencies])).toEqual([['api', []]]);
    expect((await engine.run(id)).reviews.map((review) => review.id)).toEqual(['judge']);
    expect(engine.jobs.starts.map(({ task }) => task)).toEqual(['api']);
  });

  it('of nothing but assessments has nothing to do and ends', async () => {
    const { id } = await engine.submit({ plan: [step('judge', [], 'code_reviewer')], target: target() });
    await engine.drain();
    expect(await engine.run(id)).toMatchObject({ stage: 'succeeded', heads: [] });
  });

  it('of a dry run is shown and not executed', async () => {
    const { id } = await engine.submit({ plan: [step('a')], dryRun: true });
    await engine.drain();
    const run = await engine.run(id);
    expect(run.stage).toBe('succeeded');
    expect(
      (await readPlan(engine.ports, run.givenPlan?.source ?? { text: '' })).tasks.map((task) => task.id),
    ).toEqual(['a']);
    expect(await engine.tasks(id)).toEqual([]);
    expect(engine.worked.size).toBe(0);
  });

  it('comes from the architect where the caller gives none', async () => {
    answers = [answer([planned('a'), planned('b', { dependencies: ['a'] })])];
    const { id } = await engine.submit({});
    await engine.drain();
    const run = await engine.run(id);
    expect(run).toMatchObject({ stage: 'succeeded', plan: { tasks: 2, summary: 'the plan' } });
    expect(run.history.map(({ state }) => state)).toEqual(['accepted', 'planning', 'executing', 'succeeded']);
    expect(Object.fromEntries(engine.worked)).toEqual({ plan: 1, a: 1, b: 1 });
  });

  it('is asked for once more with every reason when it is rejected', async () => {
    answers = [
      answer([planned('a', { dependencies: ['ghost'] }), planned('b', { agent: 'nobody', acceptance: [] })]),
      answer([planned('a')]),
    ];
    const { id } = await engine.submit({});
    await engine.drain();
    expect((await engine.run(id)).stage).toBe('succeeded');
    expect(told[0]).toBe('');
    expect(told[1]).toMatch(
      /Your plan was rejected:\n- .*unknown agent nobody[\s\S]*ghost[\s\S]*task b has no acceptance criterion/,
    );
  });

  it('must name files that are there, or say that they are new', async () => {
    answers = [
      answer([
        planned('a', {
          agent: 'backend_developer',
          scope: ['src/none.ts', 'new:src/new.ts', 'src/', 'src/*.ts'],
        }),
      ]),
      answer([planned('a', { agent: 'backend_developer', scope: ['src/api.ts'] })]),
    ];
    await engine.submit({ target: target() });
    await engine.drain();
    expect(told[1]).toBe(
      'Your plan was rejected:\n- task a: src/none.ts does not exist; write new:src/none.ts if it is to be created',
    );
  });

  it('is not asked for a third time in one attempt, and what is no plan never starts anything', async () => {
    answers = Array.from(
      { length: 20 },
      () => ({ outcome: 'succeeded', summary: 'x', output: 'I would rather not.' }) as const,
    );
    const { id } = await engine.submit({});
    await engine.drain();
    expect(told).toHaveLength(2);
    expect((await engine.task(id, 'plan')).attempts[0]?.exit).toMatchObject({
      code: 'invalid_output',
      message: expect.stringContaining('rejected twice'),
    });
  });

  it('follows what the tenant has set for attempts and approval', async () => {
    const settings = { v: 1 as const, maxAttempts: 2, autoApproveTasks: 1 };
    await engine.ports.store.commit([{ op: 'set', ref: refs.settings(TENANT), data: settings }]);
    answers = [answer([planned('a')]), answer([planned('a'), planned('b')])];
    const { id: small } = await engine.submit({});
    await engine.drain();
    expect((await engine.tasks(small)).map(({ id, maxAttempts }) => [id, maxAttempts])).toEqual([
      ['a', 2],
      ['plan', 2],
    ]);
    const { id: large } = await engine.submit({});
    await engine.drain();
    expect(await engine.tasks(large)).toHaveLength(1);
    expect((await engine.run(large)).stage).not.toBe('succeeded');
  });

  it('of a model beyond what is approved in advance waits for a person', async () => {
    answers = [answer(Array.from({ length: 21 }, (_, n) => planned(`t${n}`)))];
    const { id } = await engine.submit({});
    await engine.drain();
    expect(await engine.run(id)).toMatchObject({
      stage: 'awaiting_approval',
      decision: expect.any(String),
    });
    expect(engine.worked.size).toBe(1);
  });
});
