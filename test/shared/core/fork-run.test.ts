import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { forkRun } from '../../../shared/core/fork-run.ts';
import { readPlan } from '../../../shared/core/plan/stored-plan.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import { spentMicroUsd } from '../../../shared/core/task.ts';
import { startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { taskOf } from '../../support/records.ts';
import { createSpendingModel } from '../../support/spending-model.ts';

const task = (id: string, dependencies: string[] = []) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: `Do ${id}.`,
});
const DIAMOND = [task('a'), task('b', ['a']), task('c', ['a']), task('d', ['b', 'c']), task('e')];

describe('forking a run', () => {
  let engine: Engine;
  let old: Run;
  /** What each task was told, as often as it was executed. */
  let told: Map<string, string>;
  beforeEach(async () => {
    told = new Map();
    engine = await startEngine({
      model: createSpendingModel(),
      work: async (open, { message }) => {
        const { attempt } = await open();
        const { instructions: text, dependencies, model } = attempt.brief;
        const request = {
          model: model.id,
          system: '',
          turns: [],
          tools: [],
          maxOutputTokens: 1_000,
          timeoutMs: 1_000,
        };
        await attempt.model.answer(request);
        const id = 'task' in message ? message.task : 'plan';
        told.set(id, text);
        const read = dependencies.map(({ output }) => output).join(' ');
        return { outcome: 'succeeded', summary: 'done', output: `${text} (${read})` };
      },
    });
    old = await engine.submit({ plan: DIAMOND });
    await engine.drain();
    old = await engine.run(old.id);
    engine.worked.clear();
    told.clear();
  });
  afterEach(() => engine.close());
  const fork = (from: string, more: { instructions?: string; key?: string } = {}) =>
    forkRun(engine.ports, { tenant: TENANT, run: old.id, actor: 'erin', task: from, ...more });
  const outputOf = async (run: string, id: string) => {
    const key = (await engine.task(run, id)).result?.outputKey ?? '';
    return new TextDecoder().decode(await engine.ports.blobs.get(key));
  };

  it('does the chosen task and everything behind it again, and nothing else', async () => {
    const { run } = await fork('b');
    expect(run.forkedFrom).toEqual({ run: old.id, reuse: ['a', 'c', 'e'] });
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ b: 1, d: 1 });
    expect((await engine.run(run.id)).stage).toBe('succeeded');
    const tasks = await engine.tasks(run.id);
    expect(tasks.map(({ id, attempts }) => [id, attempts.length])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 0],
      ['d', 1],
      ['e', 0],
    ]);
    const spent = new Map(tasks.map((each) => [each.id, spentMicroUsd(each)]));
    expect([spent.get('a'), spent.get('c'), spent.get('e')]).toEqual([0, 0, 0]);
    expect(spent.get('b')).toBeGreaterThan(0);
  });

  it('gives what it took over to the tasks that are done again', async () => {
    const { run } = await fork('d');
    await engine.drain();
    expect(await outputOf(run.id, 'd')).toBe(await outputOf(old.id, 'd'));
    expect(await outputOf(run.id, 'd')).toBe('Do d. (Do b. (Do a. ()) Do c. (Do a. ()))');
  });

  it('tells the chosen task something else where it is given, and shows so in its plan', async () => {
    const { run } = await fork('b', { instructions: 'Do it otherwise.<!-- hidden -->' });
    await engine.drain();
    expect(Object.fromEntries(told)).toEqual({ b: 'Do it otherwise.', d: 'Do d.' });
    const { plan, givenPlan } = await engine.run(run.id);
    const stored = await readPlan(engine.ports, plan?.source ?? givenPlan?.source ?? { text: '' });
    expect(stored.tasks.find(({ id }) => id === 'b')?.instructions).toBe('Do it otherwise.');
    expect(plan?.hash).not.toBe(old.plan?.hash);
    expect(plan).toMatchObject({ tasks: 5, parallel: 1, summary: old.plan?.summary });
    expect(plan?.estimateMicroUsd).toBe(((old.plan?.estimateMicroUsd ?? 0) * 2) / 5);
    await expect(fork('b', { instructions: '<!-- nothing -->' })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('of a run that goes on reuses what has succeeded so far', async () => {
    old = await engine.submit({ plan: DIAMOND });
    for (let step = 0; step < 3; step += 1) await engine.deliver(engine.mail.shift() ?? missing());
    expect((await engine.tasks(old.id)).filter(({ settled }) => settled).map(({ id }) => id)).toEqual([
      'a',
      'e',
    ]);
    const { run } = await fork('b');
    expect(run.forkedFrom?.reuse).toEqual(['a', 'e']);
  });

  it('from a task that was delegated starts at the one that it was delegated for', async () => {
    const child = taskOf({ id: 'b-s1', run: old.id, parent: 'b', depth: 1, state: 'failed' });
    await engine.ports.store.create(refs.task(TENANT, old.id, 'b-s1'), child);
    expect((await fork('b-s1')).run.forkedFrom?.reuse).toEqual(['a', 'c', 'e']);
    await expect(fork('b-s1', { instructions: 'Do it.' })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('knows only tasks of the plan', async () => {
    await expect(fork('plan')).rejects.toMatchObject({
      code: 'not_found',
      message: `the plan of run ${old.id} has no task "plan"; GET /api/runs/${old.id}/plan shows it`,
    });
  });

  it('needs a plan that was executed', async () => {
    for (const submission of [{ plan: DIAMOND, dryRun: true }, {}]) {
      old = await engine.submit(submission);
      if ('dryRun' in submission) await engine.drain();
      await expect(fork('a')).rejects.toMatchObject({ code: 'conflict' });
    }
  });

  it('of one request is one run, also when it is asked for with other words under the same key', async () => {
    const first = await fork('b', { key: 'key-1' });
    await engine.drain();
    const again = await fork('b', { key: 'key-1' });
    expect([again.run.id, again.duplicate, again.run.stage]).toEqual([first.run.id, true, 'succeeded']);
    await expect(fork('c', { key: 'key-1' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(fork('b', { key: 'key-1', instructions: 'Other.' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('fails with what to do where the results are gone before it took them over', async () => {
    const { run } = await fork('b');
    await engine.ports.store.commit([{ op: 'delete', ref: refs.task(TENANT, old.id, 'c') }]);
    await engine.drain();
    expect(await engine.run(run.id)).toMatchObject({
      stage: 'failed',
      reason: { code: 'not_found', message: expect.stringContaining(`task c of run ${old.id}`) },
    });
    expect(engine.worked.size).toBe(0);
  });

  it('begins everything that it must and may, whichever task is chosen and whatever messages are lost', async () => {
    const graph = fc.array(fc.nat({ max: 31 }), { minLength: 5, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(graph, fc.nat({ max: 4 }), fc.boolean(), async (edges, chosen, isLost) => {
        const plan = edges.map((mask, n) =>
          task(
            `t${n}`,
            edges.flatMap((_, other) => (other < n && (mask & (1 << other)) !== 0 ? [`t${other}`] : [])),
          ),
        );
        old = await engine.submit({ plan });
        await engine.drain();
        engine.worked.clear();
        const again = new Set([`t${chosen}`]);
        for (const { id, dependencies } of plan)
          if (dependencies.some((other) => again.has(other))) again.add(id);
        const { run } = await fork(`t${chosen}`);
        await engine.deliver(engine.mail.shift() ?? missing());
        if (isLost) {
          engine.mail.length = 0;
          engine.clock.advance(10 * 60_000);
          await sweep(engine.ports);
        }
        await engine.drain();
        expect(new Set(engine.worked.keys())).toEqual(again);
        expect((await engine.run(run.id)).stage).toBe('succeeded');
      }),
      { numRuns: 10 },
    );
  });
});

function missing(): never {
  throw new Error('there is no such message');
}
