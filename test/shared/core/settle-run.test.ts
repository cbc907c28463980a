import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimTask } from '../../../shared/core/claim-task.ts';
import { failRun } from '../../../shared/core/fail-run.ts';
import { rootHash } from '../../../shared/core/history.ts';
import { refs } from '../../../shared/core/refs.ts';
import { settleRun } from '../../../shared/core/settle-run.ts';
import type { Store, Write } from '../../../shared/ports/store.ts';
import { DONE, startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { taskOf } from '../../support/records.ts';

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

  describe('that fails', () => {
    let run: string;
    const reason = { code: 'dead_letter', message: 'a message failed 20 times' };
    beforeEach(async () => {
      engine = await startEngine();
      ({ id: run } = await engine.submit({ plan: [task('a'), task('b', ['a'])] }));
      await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run } });
    });
    /** Does something once, just before a write that `isIt`. */
    const failing = (isIt: (write: Write) => boolean, meanwhile: () => Promise<unknown>): Promise<void> => {
      const { store } = engine.ports;
      let done = false;
      const commit: Store['commit'] = async (writes) => {
        if (!done && writes.some(isIt)) {
          done = true;
          await meanwhile();
        }
        return store.commit(writes);
      };
      return failRun({ ...engine.ports, store: { ...store, commit } }, { tenant: TENANT, id: run }, reason);
    };
    const isEnd = (write: Write) =>
      write.op === 'set' && 'stage' in write.data && write.data.stage === 'failed';

    it('takes in what was added to it after a look at its tasks', async () => {
      await failing(isEnd, async () => {
        const ref = refs.run(TENANT, run);
        const found = await engine.ports.store.get(ref);
        if (found === undefined) throw new Error('no run');
        const fix = {
          ...(await engine.task(run, 'b')),
          ...taskOf({ id: 'fix-1', run }),
          kind: 'fix' as const,
        };
        const { outcome } = await engine.ports.store.commit([
          { op: 'set', ref, data: { ...found.data, fixRounds: 1 }, ifVersion: found.version },
          { op: 'create', ref: refs.task(TENANT, run, 'fix-1'), data: fix },
        ]);
        expect(outcome).toBe('committed');
      });
      const tasks = await engine.tasks(run);
      expect(tasks.map(({ id, state }) => [id, state])).toEqual([
        ['a', 'cancelled'],
        ['b', 'cancelled'],
        ['fix-1', 'cancelled'],
      ]);
      const ended = await engine.run(run);
      expect(ended).toMatchObject({ stage: 'failed', fixRounds: 1, reason });
      expect(ended.tasksRoot).toBe(rootHash(tasks.map(({ history }) => history)));
    });

    it('takes in what one of its tasks delegated at the same time', async () => {
      const claim = await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
      if (claim.outcome !== 'mine') throw new Error('not claimed');
      const text = { title: 'Test it', instructions: 'Test it.' };
      const isOfTask = (write: Write) => write.ref.id === 'a';
      await failing(isOfTask, async () => {
        const found = await engine.ports.store.get(refs.task(TENANT, run, 'a'));
        if (found === undefined) throw new Error('no task');
        const child = taskOf({ id: 'a-s1', run, parent: 'a', ...text });
        await engine.ports.store.commit([
          { op: 'set', ref: found.ref, data: found.data, ifVersion: found.version },
          { op: 'create', ref: refs.task(TENANT, run, 'a-s1'), data: child },
        ]);
      });
      expect((await engine.tasks(run)).filter(({ live }) => live)).toEqual([]);
      expect(await engine.run(run)).toMatchObject({ stage: 'failed' });
    });

    it('is left to the next try where it keeps changing', async () => {
      const { store } = engine.ports;
      const ref = refs.run(TENANT, run);
      const commit: Store['commit'] = async (writes) => {
        if (writes.some(isEnd)) {
          const found = await store.get(ref);
          if (found !== undefined) await store.commit([{ op: 'set', ref, data: { ...found.data } }]);
        }
        return store.commit(writes);
      };
      const ports = { ...engine.ports, store: { ...store, commit } };
      await expect(failRun(ports, { tenant: TENANT, id: run }, reason)).rejects.toMatchObject({
        code: 'conflict',
        retry: 'later',
      });
      expect((await engine.run(run)).stage).toBe('executing');
    });
  });
});
