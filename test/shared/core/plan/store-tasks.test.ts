import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../../shared/core/cancel-run.ts';
import { decomposeRun } from '../../../../shared/core/decompose-run.ts';
import { failRun } from '../../../../shared/core/fail-run.ts';
import { pauseRun } from '../../../../shared/core/pause-run.ts';
import { resumeRun } from '../../../../shared/core/resume-run.ts';
import { sweep } from '../../../../shared/core/sweep.ts';
import { MAX_COMMIT_WRITES, type Store } from '../../../../shared/ports/store.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';

const SIZE = 1_000;
const LONG_MS = 10 * 60_000;
/** Half of them wait for one of the others. */
const planOf = (size: number) =>
  Array.from({ length: size }, (_, n) => ({
    id: `t${n}`,
    agent: 'technical_writer',
    instructions: 'Nothing.',
    dependencies: n < size / 2 ? [] : [`t${n - Math.ceil(size / 2)}`],
  }));

describe('a plan of a thousand tasks', () => {
  let engine: Engine;
  let run: string;
  const hint = () => ({ v: 1 as const, tenant: TENANT, run });
  beforeEach(async () => {
    engine = await startEngine({ policy: { maxPlanTasks: SIZE, maxPlanDepth: SIZE } });
    ({ id: run } = await engine.submit({ plan: planOf(SIZE) }));
    engine.mail.length = 0;
  });
  afterEach(() => engine.close());

  /** Decomposition with `between` before each commit; it may throw, as if the process were gone. */
  function decompose(between: (commits: number, writes: number) => Promise<void> | void): Promise<void> {
    let commits = 0;
    const { store } = engine.ports;
    const commit: Store['commit'] = async (writes) => {
      await between((commits += 1), writes.length);
      return store.commit(writes);
    };
    return decomposeRun({ ...engine.ports, store: { ...store, commit } }, hint());
  }
  const crashBefore = (commit: number) =>
    decompose((commits) => {
      if (commits === commit) throw new Error('the process is gone');
    }).catch(() => undefined);
  const tasks = () => engine.tasks(run);
  const dispatched = () => engine.mail.flatMap(({ message }) => ('task' in message ? [message.task] : []));

  it('is stored in as few commits as there can be, and dispatched after the last', async () => {
    const sizes: number[] = [];
    await decompose((_, writes) => {
      sizes.push(writes);
      expect(engine.mail).toEqual([]);
    });
    expect(sizes).toEqual([MAX_COMMIT_WRITES, MAX_COMMIT_WRITES, 3]);
    expect(await engine.run(run)).toMatchObject({
      stage: 'executing',
      plan: { tasks: SIZE, parallel: SIZE / 2 },
    });
    expect(await tasks()).toHaveLength(SIZE);
    expect(new Set(dispatched()).size).toBe(SIZE / 2);
    expect(dispatched()).toHaveLength(SIZE / 2);
  });

  it('is nobody’s to execute while it is only half there, and whole after the next delivery', async () => {
    await crashBefore(3);
    expect((await engine.run(run)).stage).toBe('planning');
    const half = await tasks();
    expect(half).toHaveLength(2 * (MAX_COMMIT_WRITES - 1));
    engine.clock.advance(LONG_MS);
    await sweep(engine.ports);
    expect(engine.mail).toEqual([{ topic: 'run-accepted', message: hint() }]);
    engine.mail.length = 0;
    await decompose(() => undefined);
    const { stage, history } = await engine.run(run);
    expect([stage, history.map(({ state }) => state)]).toEqual([
      'executing',
      ['accepted', 'planning', 'executing'],
    ]);
    const whole = new Map((await tasks()).map((task) => [task.id, task]));
    expect(whole.size).toBe(SIZE);
    for (const task of half) expect(whole.get(task.id)).toEqual(task);
    expect(dispatched()).toHaveLength(SIZE / 2);
  });

  it('is stored once by two that are at it at the same time', async () => {
    const both = await Promise.allSettled([decompose(() => undefined), decompose(() => undefined)]);
    for (const each of both)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'conflict', retry: 'later' });
    await decompose(() => undefined);
    expect((await engine.run(run)).stage).toBe('executing');
    expect(await tasks()).toHaveLength(SIZE);
  });

  it.each([
    ['is cancelled', () => cancelRun(engine.ports, TENANT, run, 'dana'), 'cancelled'],
    [
      'fails',
      () => failRun(engine.ports, { tenant: TENANT, id: run }, { code: 'x', message: 'x' }),
      'failed',
    ],
  ])('leaves nothing live when its run %s between two commits', async (_name, stop, stage) => {
    const stored = decompose(async (commits) => {
      if (commits === 2) await stop();
    });
    await expect(stored).rejects.toMatchObject({ code: 'conflict', retry: 'later' });
    await engine.drain();
    await decomposeRun(engine.ports, hint());
    expect((await engine.run(run)).stage).toBe(stage);
    const left = await tasks();
    expect(left).toHaveLength(MAX_COMMIT_WRITES - 1);
    expect(left.filter(({ live }) => live)).toEqual([]);
    expect(engine.worked.size).toBe(0);
  });

  it('waits where its run is paused between two commits, and goes on when it is resumed', async () => {
    const stored = decompose(async (commits) => {
      if (commits === 2) await pauseRun(engine.ports, TENANT, run, 'dana');
    });
    await expect(stored).rejects.toMatchObject({ code: 'conflict' });
    await decompose(() => undefined);
    expect(await engine.run(run)).toMatchObject({ stage: 'planning', paused: true });
    await resumeRun(engine.ports, TENANT, run, 'dana');
    await decompose(() => undefined);
    expect((await engine.run(run)).stage).toBe('executing');
    expect((await tasks()).filter(({ held }) => held)).toEqual([]);
  });
});

describe('a plan that fits into one commit', () => {
  it('is stored with its run in one', async () => {
    const engine = await startEngine({ policy: { maxPlanTasks: SIZE } });
    try {
      const { id } = await engine.submit({ plan: planOf(MAX_COMMIT_WRITES - 1) });
      let commits = 0;
      const { store } = engine.ports;
      const commit: Store['commit'] = (writes) => store.commit(writes).finally(() => (commits += 1));
      await decomposeRun({ ...engine.ports, store: { ...store, commit } }, { v: 1, tenant: TENANT, run: id });
      expect([commits, (await engine.tasks(id)).length]).toEqual([1, MAX_COMMIT_WRITES - 1]);
    } finally {
      await engine.close();
    }
  });
});
