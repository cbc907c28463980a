import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { appendHistory } from '../../../shared/core/history.ts';
import { readPlan } from '../../../shared/core/plan/stored-plan.ts';
import { refs } from '../../../shared/core/refs.ts';
import { retryRun } from '../../../shared/core/retry-run.ts';
import type { Run } from '../../../shared/core/run.ts';
import { spentMicroUsd, type Task } from '../../../shared/core/task.ts';
import type { AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import { DONE, startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { attemptOf, runOf, taskOf } from '../../support/records.ts';
import { createSampleRepository } from '../../support/sample-repository.ts';

const task = (id: string, dependencies: string[] = [], changes: object = {}) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: `Do ${id}.`,
  ...changes,
});
const FAILED: AttemptResultInput = {
  outcome: 'failed',
  failure: { code: 'invalid_input', message: 'it makes no sense' },
};

describe('retrying a run', () => {
  let engine: Engine;
  /** Tasks that fail for good. */
  let broken: Set<string>;
  beforeEach(async () => {
    broken = new Set();
    engine = await startEngine({
      play: (id) => (broken.has(id) ? FAILED : { ...DONE, output: `${id} text` }),
    });
  });
  afterEach(() => engine.close());
  const retry = async (run: string, key?: string) =>
    retryRun(engine.ports, { tenant: TENANT, run, actor: 'erin', ...(key === undefined ? {} : { key }) });

  /** Played to its end; what the workers do from now on is counted anew. */
  async function ended(run: Run): Promise<Run> {
    await engine.drain();
    engine.worked.clear();
    return engine.run(run.id);
  }

  it('repeats what did not succeed and everything behind it, and takes over the rest', async () => {
    broken.add('b');
    const plan = [task('a'), task('b', ['a']), task('c', ['b']), task('d', ['a'])];
    const old = await ended(
      await engine.submit({ plan, priority: 'high', project: 'p', budgetMicroUsd: 900_000 }),
    );
    expect(old.stage).toBe('failed');
    broken.clear();
    const { run, duplicate } = await retry(old.id);
    expect(run).toMatchObject({
      stage: 'accepted',
      forkedFrom: { run: old.id, reuse: ['a', 'd'] },
      requirement: old.requirement,
      priority: 'high',
      project: 'p',
      origin: { kind: 'api', actor: 'erin' },
      budget: { limitMicroUsd: 900_000 },
    });
    expect(duplicate).toBe(false);
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ b: 1, c: 1 });
    expect((await engine.run(run.id)).stage).toBe('succeeded');
    expect(await engine.run(old.id)).toEqual(old);
  });

  it('shows what it took over as ended with its result, by whom, and as free', async () => {
    broken.add('b');
    const old = await ended(await engine.submit({ plan: [task('a'), task('b', ['a'])] }));
    const before = await engine.task(old.id, 'a');
    const { run } = await retry(old.id);
    await engine.drain();
    const taken = await engine.task(run.id, 'a');
    expect(taken).toMatchObject({
      run: run.id,
      state: 'succeeded',
      settled: true,
      live: false,
      attempts: [],
    });
    expect(taken.result).toEqual(before.result);
    expect(taken.history.at(-1)).toMatchObject({
      by: 'fork',
      note: `the result of run ${old.id} is taken over`,
    });
    expect([spentMicroUsd(taken), taken.allotmentMicroUsd]).toEqual([0, 0]);
    const repeated = await engine.task(run.id, 'b');
    expect(repeated.allotmentMicroUsd).toBe(1_200_000);
  });

  it('has a plan of all its tasks, and an estimate of those that are done again', async () => {
    broken.add('b');
    const old = await ended(await engine.submit({ plan: [task('a'), task('b', ['a']), task('c', ['a'])] }));
    const { run } = await retry(old.id);
    await engine.drain();
    const { plan, givenPlan } = await engine.run(run.id);
    expect(plan).toMatchObject({ tasks: 3, parallel: 1, summary: old.plan?.summary });
    expect(plan?.estimateMicroUsd).toBe((old.plan?.estimateMicroUsd ?? 0) / 3);
    expect(
      (await readPlan(engine.ports, plan?.source ?? givenPlan?.source ?? { text: '' })).tasks.map(
        ({ id }) => id,
      ),
    ).toEqual(['a', 'b', 'c']);
  });

  it('repeats what succeeded behind an optional task that did not', async () => {
    broken.add('a');
    const plan = [task('a', [], { optional: true }), task('b', ['a']), task('c')];
    const old = await ended(await engine.submit({ plan }));
    expect(old.stage).toBe('succeeded');
    broken.clear();
    expect((await retry(old.id)).run.forkedFrom?.reuse).toEqual(['c']);
  });

  it('of a cancelled run goes on where it stopped', async () => {
    const submitted = await engine.submit({ plan: [task('a'), task('b', ['a'])] });
    for (let step = 0; step < 3; step += 1) await engine.deliver(engine.mail.shift() ?? missing());
    await cancelRun(engine.ports, TENANT, submitted.id, 'dana');
    await ended(submitted);
    const { run } = await retry(submitted.id);
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ b: 1 });
    expect((await engine.run(run.id)).stage).toBe('succeeded');
  });

  it('of a run whose tasks all succeeded does none of them again', async () => {
    const old = await ended(await engine.submit({ plan: [task('a'), task('b', ['a'])] }));
    const { run } = await retry(old.id);
    await engine.drain();
    expect(engine.worked.size).toBe(0);
    expect((await engine.run(run.id)).stage).toBe('succeeded');
  });

  it('takes results from a run that took them over itself', async () => {
    broken.add('c');
    const old = await ended(await engine.submit({ plan: [task('a'), task('b', ['a']), task('c', ['b'])] }));
    const second = await ended((await retry(old.id)).run);
    broken.clear();
    const { run } = await retry(second.id);
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ c: 1 });
    expect((await engine.task(run.id, 'a')).result).toEqual((await engine.task(old.id, 'a')).result);
  });

  /** A run that failed after its plan was executed, as another version may have left it. */
  async function stored(plan: object[], changes: Partial<Run>, tasks: Task[]): Promise<void> {
    const key = `${TENANT}/plans/old1/x.json`;
    await engine.ports.blobs.put(key, JSON.stringify({ summary: 'p', filesRead: 0, tasks: plan }));
    const facts = {
      hash: 'h',
      source: { key },
      summary: 'p',
      tasks: 3,
      parallel: 2,
      estimateMicroUsd: 1,
      filesRead: 0,
    };
    const began = appendHistory([], { at: 1, state: 'executing', by: 'test' });
    const history = appendHistory(began, { at: 2, state: 'failed', by: 'test' });
    const contract = { commands: {}, reasons: [] };
    const old = runOf({ id: 'old1', stage: 'failed', plan: facts, contract, history, ...changes });
    await engine.ports.store.commit([
      { op: 'create', ref: refs.run(TENANT, 'old1'), data: old },
      ...tasks.map((data) => ({ op: 'create' as const, ref: refs.task(TENANT, 'old1', data.id), data })),
    ]);
  }

  it('takes over what was delegated together with the task it was delegated for, or neither', async () => {
    const result = { summary: 'done', checks: [], filesRead: 0 };
    const of = (id: string, changes: Partial<Task>) =>
      taskOf({ id, run: 'old1', agent: 'technical_writer', lane: 'function', ...changes });
    await stored([task('a'), task('b'), task('c', ['a'])], { targets: [] }, [
      of('a', { state: 'succeeded', result, dependants: ['c'] }),
      of('a-s1', { state: 'succeeded', result, parent: 'a', depth: 1, title: 'a part of a' }),
      of('b', { state: 'succeeded', result }),
      of('b-s1', { state: 'failed', parent: 'b', depth: 1 }),
      of('c', { state: 'failed', dependencies: ['a'], attempts: [attemptOf()] }),
    ]);
    const { run } = await retry('old1');
    expect(run.forkedFrom?.reuse).toEqual(['a', 'a-s1']);
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ b: 1, c: 1 });
    expect(await engine.task(run.id, 'a-s1')).toMatchObject({
      run: run.id,
      title: 'a part of a',
      parent: 'a',
      depth: 1,
      dependants: ['c'],
      state: 'succeeded',
      result,
    });
  });

  it('of a run that could not be integrated integrates the same change sets anew', async () => {
    const changeSet = { key: 'the/old/change-set', sha256: 'f'.repeat(64), files: 1, added: 1, deleted: 0 };
    const result = { summary: 'done', checks: [], filesRead: 0, changeSet };
    await stored([task('api', [], { agent: 'backend_developer' })], { integrations: 2, fixRounds: 1 }, [
      taskOf({ id: 'api', run: 'old1', state: 'succeeded', result }),
      taskOf({ id: 'integrate-1', run: 'old1', kind: 'integrate', agent: 'integrator', state: 'failed' }),
      taskOf({ id: 'fix-1', run: 'old1', kind: 'fix', state: 'succeeded', result }),
    ]);
    const { run } = await retry('old1');
    await engine.drain();
    expect(await engine.run(run.id)).toMatchObject({
      stage: 'integrating',
      changeOrder: ['api'],
      integrations: 1,
      fixRounds: 0,
    });
    const tasks = await engine.tasks(run.id);
    expect(tasks.map(({ id, state }) => [id, state])).toEqual([
      ['api', 'succeeded'],
      ['integrate-1', 'starting'],
    ]);
    expect(tasks[0]?.result?.changeSet).toEqual(changeSet);
  });

  it('stays on the commit that its results were made on, and otherwise takes the newest', async () => {
    const sample = createSampleRepository({ 'README.md': 'x\n' });
    try {
      const target = { host: 'local-git' as const, repository: sample.folder };
      const of = async (submission: object) => {
        const run = await engine.submit({ ...submission, target });
        await engine.deliver(engine.mail.pop() ?? missing());
        return run.id;
      };
      const id = await of({
        plan: [task('a', [], { lane: 'function' }), task('b', [], { lane: 'function' })],
      });
      broken.add('b');
      const old = await ended(await engine.run(id));
      expect(old.stage).toBe('failed');
      const { run } = await retry(id);
      expect(run.targets).toEqual([{ ...old.targets[0], headBranch: `penstock/${run.id}` }]);
      expect(run.contract).toEqual(old.contract);
      const second = await ended(run);
      expect(second.targets[0]?.baseSha).toBe(sample.baseSha);
      broken.add('a');
      const none = await ended(await engine.run(await of({ plan: [task('a', [], { lane: 'function' })] })));
      expect((await retry(none.id)).run.targets[0]).toMatchObject({ repository: sample.folder });
      expect((await retry(none.id)).run.targets[0]?.baseSha).toBeUndefined();
    } finally {
      sample.remove();
    }
  });

  it('of a run that was never planned submits it again', async () => {
    const old = await engine.submit({ target: { host: 'local-git', repository: '/nowhere/at/all' } });
    await ended(old);
    expect((await engine.run(old.id)).stage).toBe('failed');
    const { run } = await retry(old.id);
    expect(run).toMatchObject({ forkedFrom: { run: old.id, reuse: [] }, requirement: old.requirement });
    expect([run.givenPlan, run.contract]).toEqual([undefined, undefined]);
  });

  it('of a run whose planning failed plans it anew, and of one with a plan of its own keeps that', async () => {
    broken.add('plan');
    const old = await ended(await engine.submit({}));
    expect(old.stage).toBe('failed');
    await retry(old.id);
    await engine.drain();
    expect(Object.fromEntries(engine.worked)).toEqual({ plan: 1 });
    const own = await ended(await engine.submit({ plan: [task('a')], dryRun: true }));
    expect(own.stage).toBe('succeeded');
    const { run } = await retry(own.id);
    expect(run).toMatchObject({ dryRun: true, givenPlan: { hash: own.givenPlan?.hash } });
  });

  it('does not take a plan for approved that was never executed', async () => {
    const old = await engine.submit({});
    const plan = {
      hash: 'h',
      key: 'k',
      summary: 's',
      tasks: 21,
      parallel: 21,
      estimateMicroUsd: 1,
      filesRead: 0,
    };
    const history = appendHistory(old.history, {
      at: 1,
      state: 'failed',
      by: 'engine',
      note: 'not approved',
    });
    const ref = refs.run(TENANT, old.id);
    const data = { ...old, stage: 'failed' as const, plan, history };
    await engine.ports.store.commit([{ op: 'set', ref, data }]);
    const { run } = await retry(old.id);
    expect([run.givenPlan, run.forkedFrom?.reuse]).toEqual([undefined, []]);
  });

  it('of one request is one run, and its key belongs to that run', async () => {
    broken.add('a');
    const old = await ended(await engine.submit({ plan: [task('a')] }));
    const other = await ended(await engine.submit({ plan: [task('a')] }));
    const first = await retry(old.id, 'key-1');
    const second = await retry(old.id, 'key-1');
    expect([second.run.id, second.duplicate]).toEqual([first.run.id, true]);
    await expect(retry(other.id, 'key-1')).rejects.toMatchObject({ code: 'conflict' });
    expect((await retry(old.id)).run.id).not.toBe(first.run.id);
    await expect(retry(old.id, 'not a key')).rejects.toMatchObject({ code: 'invalid' });
  });

  it('gives the name of a TaskRun to its newest run, with the next attempt', async () => {
    broken.add('a');
    const taskRun = { name: 'svc-7', taskId: 7, serviceName: 'svc', retryAttempt: 1, files: [] };
    const old = await ended(await engine.submit({ plan: [task('a')], taskRun }));
    const { run } = await retry(old.id);
    expect(run.taskRun).toEqual({ ...taskRun, retryAttempt: 2 });
    const name = await engine.ports.store.get(refs.taskRun(TENANT, 'svc-7'));
    expect(name?.data).toEqual({ v: 1, name: 'svc-7', run: run.id });
  });

  it('is refused while the run goes on, and for a run that is not there', async () => {
    const { id } = await engine.submit({ plan: [task('a')] });
    await expect(retry(id)).rejects.toMatchObject({
      code: 'conflict',
      message: `run ${id} is accepted; wait until it has ended, or cancel it`,
    });
    await expect(retry('nothere1')).rejects.toMatchObject({ code: 'not_found' });
  });
});

function missing(): never {
  throw new Error('there is no such message');
}
