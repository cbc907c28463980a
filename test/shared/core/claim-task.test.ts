import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  claimJob,
  claimTask,
  decideDispatch,
  reserveJob,
  returnJob,
} from '../../../shared/core/claim-task.ts';
import { heldAttempt } from '../../../shared/core/fence.ts';
import { foldHistory, MAX_HISTORY } from '../../../shared/core/history.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Task } from '../../../shared/core/task.ts';
import { POLICY, startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { attemptOf, taskOf } from '../../support/records.ts';

const hint = { v: 1 as const, tenant: TENANT, run: 'run1', task: 'api', generation: 1 };
const ended = (generation: number) => attemptOf({ generation, exit: { outcome: 'failed' } });

describe('a dispatch', () => {
  it.each<[string, Partial<Task>, number, 'claim' | 'ended' | 'other']>([
    ['of the first generation of a waiting task is claimed', {}, 1, 'claim'],
    ['of a task that waits for capacity is claimed', { state: 'ready' }, 1, 'claim'],
    ['of the next generation is claimed', { attempts: [ended(1)] }, 2, 'claim'],
    ['of the generation that has just ended is followed again', { attempts: [ended(1)] }, 1, 'ended'],
    ['of an older generation is nothing', { attempts: [ended(1), ended(2)] }, 1, 'other'],
    ['of a generation to come is nothing', {}, 2, 'other'],
    ['before its time is nothing', { notBefore: 101 }, 1, 'other'],
    ['of what runs already is nothing', { state: 'running', attempts: [attemptOf()] }, 1, 'other'],
    ['of a cancelled task is nothing', { state: 'cancelled' }, 1, 'other'],
  ])('%s', (_, changes, generation, decision) => {
    expect(decideDispatch(taskOf(changes), generation, 100)).toBe(decision);
  });
});

describe('a claim', () => {
  let engine: Engine;
  const put = (changes: Partial<Task> = {}) =>
    engine.ports.store.create(refs.task(TENANT, 'run1', 'api'), taskOf(changes));
  const task = () => engine.task('run1', 'api');
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());

  it('is given to one of many, who alone holds the attempt', async () => {
    await put();
    const claims = await Promise.all(Array.from({ length: 6 }, () => claimTask(engine.ports, hint)));
    const mine = claims.filter(({ outcome }) => outcome === 'mine');
    expect(mine).toHaveLength(1);
    const stored = await task();
    expect(stored).toMatchObject({ state: 'running', leaseUntil: engine.clock.now() + POLICY.leaseMs });
    expect(stored.attempts).toHaveLength(1);
    const fence = mine[0]?.outcome === 'mine' ? mine[0].fence : { ...hint, claimId: '' };
    expect(heldAttempt(stored, fence)).toBeDefined();
    expect(heldAttempt(stored, { ...fence, claimId: 'guessed' })).toBeUndefined();
    expect(heldAttempt(stored, { ...fence, generation: 2 })).toBeUndefined();
    expect(JSON.stringify(stored)).not.toContain(fence.claimId);
  });

  it('allows a retry only what earlier attempts have left', async () => {
    const spent = attemptOf({
      exit: { outcome: 'failed' },
      meter: { ...attemptOf().meter, spentMicroUsd: 70_000 },
    });
    await put({ attempts: [spent] });
    await claimTask(engine.ports, { ...hint, generation: 2 });
    expect((await task()).attempts[1]?.meter.allowanceMicroUsd).toBe(30_000);
  });

  it('of a job takes a ticket that works once', async () => {
    await put();
    const { ticket, outcome } = await reserveJob(engine.ports, hint);
    expect(outcome).toBe('mine');
    expect(await task()).toMatchObject({
      state: 'starting',
      leaseUntil: engine.clock.now() + POLICY.startByJobMs,
    });
    expect(await claimJob(engine.ports, `${ticket}x`)).toBeUndefined();
    const claims = await Promise.all([claimJob(engine.ports, ticket), claimJob(engine.ports, ticket)]);
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
    expect(await claimJob(engine.ports, ticket)).toBeUndefined();
    const stored = await task();
    expect(stored.state).toBe('running');
    expect(stored.attempts[0]?.ticketHash).toBeUndefined();
    expect(foldHistory(stored.history)).toBe('running');
  });

  it('that found no capacity waits without an attempt, and however often that happens its history has room', async () => {
    await put();
    for (let times = 0; times < MAX_HISTORY; times += 1) {
      expect((await reserveJob(engine.ports, hint)).outcome).toBe('mine');
      await returnJob(engine.ports, hint);
      expect(await task()).toMatchObject({
        state: 'ready',
        attempts: [],
        notBefore: engine.clock.now() + 10_000,
      });
      expect((await reserveJob(engine.ports, hint)).outcome).toBe('other');
      engine.clock.advance(10_000);
    }
    const stored = await task();
    expect(stored.history.map(({ state }) => state)).toEqual(['pending', 'starting', 'ready']);
    expect(foldHistory(stored.history)).toBe('ready');
  });
});
