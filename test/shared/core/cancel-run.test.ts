import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { claimJob, claimTask, reserveJob } from '../../../shared/core/claim-task.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { finishAttempt } from '../../../shared/core/finish-attempt.ts';
import { refs } from '../../../shared/core/refs.ts';
import { renewAttempt } from '../../../shared/core/renew-attempt.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import type { AttemptResult } from '../../../shared/messages/attempt-api.ts';
import { POLICY, startEngine, TENANT, type Engine } from '../../support/engine.ts';

const task = (id: string, dependencies: string[] = []) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: 'Nothing.',
});
const done: AttemptResult = { outcome: 'succeeded', summary: 'done', checks: [], filesRead: 0 };

describe('cancelling a run', () => {
  let engine: Engine;
  let run: string;
  beforeEach(async () => {
    engine = await startEngine();
    ({ id: run } = await engine.submit({ plan: [task('a'), task('b', ['a']), task('c', ['b'])] }));
  });
  afterEach(() => engine.close());
  const cancel = () => cancelRun(engine.ports, TENANT, run, 'dana');
  const states = async () => (await engine.tasks(run)).map(({ state }) => state);

  /** The first task running, in a worker that the test plays. */
  async function start(): Promise<Fence> {
    await engine.deliver(
      engine.mail.shift() ?? { topic: 'run-accepted', message: { v: 1, tenant: TENANT, run } },
    );
    engine.mail.length = 0;
    const claim = await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
    if (claim.outcome !== 'mine') throw new Error('not claimed');
    return claim.fence;
  }

  it('ends it at once where nothing runs', async () => {
    expect(await cancel()).toMatchObject({
      stage: 'cancelled',
      reason: { code: 'cancelled', message: 'cancelled by dana' },
    });
    await engine.drain();
    expect(engine.worked.size).toBe(0);
    expect((await engine.run(run)).history.map(({ state }) => state)).toEqual([
      'accepted',
      'cancelling',
      'cancelled',
    ]);
  });

  it('cancels what waits, tells what runs to stop, and ends when that has ended', async () => {
    const fence = await start();
    expect(await renewAttempt(engine.ports, fence)).toMatchObject({ answer: 'continue' });
    expect((await cancel()).stage).toBe('cancelling');
    expect(await states()).toEqual(['running', 'cancelled', 'cancelled']);
    expect(await renewAttempt(engine.ports, fence)).toMatchObject({ answer: 'stop' });
    await finishAttempt(engine.ports, fence, {
      outcome: 'failed',
      failure: { code: 'cancelled', message: 'stopped' },
      checks: [],
    });
    await engine.drain();
    expect((await engine.run(run)).stage).toBe('cancelled');
    expect(engine.worked.size).toBe(0);
  });

  it('stores the result of what could not be stopped in time, and releases nothing', async () => {
    const fence = await start();
    await cancel();
    expect(await finishAttempt(engine.ports, fence, done)).toBe('stored');
    await engine.drain();
    await sweep(engine.ports);
    expect(await states()).toEqual(['succeeded', 'cancelled', 'cancelled']);
    expect((await engine.run(run)).stage).toBe('cancelled');
    expect(engine.worked.size).toBe(0);
  });

  it('gives a failed or lost attempt no other one', async () => {
    const fence = await start();
    await cancel();
    await finishAttempt(engine.ports, fence, {
      outcome: 'failed',
      failure: { code: 'network', message: 'down' },
      checks: [],
    });
    await engine.drain();
    expect(await states()).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect((await engine.run(run)).stage).toBe('cancelled');
  });

  it('does not wait longer than a lease for a process that has died', async () => {
    await start();
    await cancel();
    engine.clock.advance(POLICY.leaseMs + 1);
    await sweep(engine.ports);
    expect((await engine.run(run)).stage).toBe('cancelled');
    expect((await engine.tasks(run)).every(({ live }) => !live)).toBe(true);
  });

  it('burns the ticket of a job that has not begun', async () => {
    const other = await engine.submit({ plan: [task('a')] });
    await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run: other.id } });
    const { ticket } = await reserveJob(engine.ports, {
      v: 1,
      tenant: TENANT,
      run: other.id,
      task: 'a',
      generation: 1,
    });
    await cancelRun(engine.ports, TENANT, other.id, 'dana');
    expect(await claimJob(engine.ports, ticket)).toBeUndefined();
    expect((await engine.run(other.id)).stage).toBe('cancelled');
  });

  it.each(['running', 'starting'] as const)('reaches the job of a task that is %s', async (state) => {
    await start();
    const ref = refs.task(TENANT, run, 'a');
    const found = await engine.ports.store.get(ref);
    if (found === undefined) throw new Error('no task');
    await engine.ports.store.commit([{ op: 'set', ref, data: { ...found.data, lane: 'job', state } }]);
    await cancel();
    expect(engine.jobs.cancels).toEqual([{ tenant: TENANT, run, task: 'a', generation: 1 }]);
  });

  it('changes nothing about a run that has ended, and says so', async () => {
    await engine.drain();
    const before = await engine.run(run);
    await expect(cancel()).rejects.toThrow(`run ${run} has already succeeded; there is nothing to cancel`);
    expect(await engine.run(run)).toEqual(before);
  });

  it('may be asked for again', async () => {
    await cancel();
    expect((await cancel()).stage).toBe('cancelled');
  });
});
