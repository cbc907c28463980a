import { afterEach, describe, expect, it } from '@jest/globals';
import { failRun } from '../../../shared/core/fail-run.ts';
import { rootHash } from '../../../shared/core/history.ts';
import { settleRun } from '../../../shared/core/settle-run.ts';
import { DONE, startEngine, TENANT, type Engine } from '../../support/engine.ts';

const task = (id: string, dependencies: string[] = []) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: 'Nothing.',
});

describe('the end of a run', () => {
  let engine: Engine;
  afterEach(() => engine.close());

  it('does not come while anything is live', async () => {
    engine = await startEngine();
    const { id } = await engine.submit({ plan: [task('a'), task('b', ['a'])] });
    await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run: id } });
    await settleRun(engine.ports, TENANT, id);
    expect((await engine.run(id)).stage).toBe('executing');
  });

  it('is one entry with the root over the last hashes of its tasks, however many see it', async () => {
    engine = await startEngine();
    const { id } = await engine.submit({ plan: [task('a'), task('b'), task('c')] });
    await engine.drain();
    await Promise.all(Array.from({ length: 5 }, () => settleRun(engine.ports, TENANT, id)));
    const run = await engine.run(id);
    expect(run.history.map(({ state }) => state)).toEqual(['accepted', 'planning', 'executing', 'succeeded']);
    expect(run.tasksRoot).toBe(rootHash((await engine.tasks(id)).map(({ history }) => history)));
  });

  it.each(['invalid_input', 'cancelled'] as const)('comes when planning itself ends as %s', async (code) => {
    engine = await startEngine({
      work: () => Promise.resolve({ outcome: 'failed', failure: { code, message: 'no plan' } }),
    });
    const { id } = await engine.submit({});
    await engine.drain();
    expect(await engine.run(id)).toMatchObject({
      stage: 'failed',
      reason: { code, message: expect.stringContaining('no plan') },
    });
  });

  it('comes to a run that cannot go on, and takes the claim of what still runs', async () => {
    let finish: () => void = () => undefined;
    const working = new Promise<void>((resolve) => (finish = resolve));
    engine = await startEngine({ play: () => working.then(() => DONE) });
    const { id } = await engine.submit({ plan: [task('a'), task('b', ['a'])] });
    await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run: id } });
    const running = engine.deliver({
      topic: 'task-dispatched',
      message: { v: 1, tenant: TENANT, run: id, task: 'a', generation: 1 },
    });
    await new Promise((resolve) => setImmediate(resolve));
    await failRun(
      engine.ports,
      { tenant: TENANT, id },
      { code: 'dead_letter', message: 'a message failed 20 times' },
    );
    finish();
    await running;
    await engine.drain();
    expect(await engine.run(id)).toMatchObject({ stage: 'failed', reason: { code: 'dead_letter' } });
    expect((await engine.tasks(id)).map(({ state, result }) => [state, result])).toEqual([
      ['cancelled', undefined],
      ['cancelled', undefined],
    ]);
  });
});
