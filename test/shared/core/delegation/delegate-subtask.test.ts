import { afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cancelRun } from '../../../../shared/core/cancel-run.ts';
import { claimTask } from '../../../../shared/core/claim-task.ts';
import { delegateSubtask } from '../../../../shared/core/delegation/delegate-subtask.ts';
import { MAX_FAN_OUT, MIN_SUBTASK_MICRO_USD } from '../../../../shared/core/delegation/judge-delegation.ts';
import type { Fence } from '../../../../shared/core/fence.ts';
import { finishAttempt } from '../../../../shared/core/finish-attempt.ts';
import { reserve, settle } from '../../../../shared/core/meter.ts';
import { attemptResult, type SubtaskProposal } from '../../../../shared/messages/attempt-api.ts';
import { DONE, type Engine, startEngine, TENANT } from '../../../support/engine.ts';

const PLAN = [
  { id: 'api', agent: 'backend_developer', instructions: 'Build it.' },
  { id: 'docs', agent: 'technical_writer', instructions: 'Describe it.', dependencies: ['api'] },
];
const BUDGET = 2_000_000;

function wanted(change: Partial<SubtaskProposal> = {}): SubtaskProposal {
  const text = { title: 'Test it', instructions: 'Test the new field.' };
  return { kind: 'subtask', id: 'call-1', agent: 'qa_testing', ...text, ...change };
}

let engine: Engine;
afterEach(() => engine.close());

/** A run whose first task is held by the test. */
async function heldTask(options: Parameters<typeof startEngine>[0] = {}, plan: object[] = PLAN) {
  engine = await startEngine(options);
  const run = await engine.submit({ plan, budgetMicroUsd: BUDGET });
  const first = engine.mail.shift();
  if (first !== undefined) await engine.deliver(first);
  engine.mail.length = 0;
  return { run: run.id, fence: await claim(run.id, 'api') };
}

async function claim(run: string, task: string, generation = 1): Promise<Fence> {
  const claimed = await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task, generation });
  if (claimed.outcome !== 'mine') throw new Error(`${task} was not claimed: ${claimed.outcome}`);
  return claimed.fence;
}

const delegate = (fence: Fence, change?: Partial<SubtaskProposal>) =>
  delegateSubtask(engine.ports, fence, wanted(change));
const succeed = (fence: Fence) => finishAttempt(engine.ports, fence, attemptResult.parse(DONE));
const dispatched = () =>
  engine.mail.flatMap(({ topic, message }) =>
    topic === 'task-dispatched' && 'task' in message ? [message.task] : [],
  );

describe('Delegating a subtask', () => {
  it('is refused where its record would have no room for its attempts', async () => {
    const { run, fence } = await heldTask();
    const instructions = '漢'.repeat(20_000);
    const acceptance = ['漢'.repeat(1_000)];
    await expect(delegate(fence, { instructions, acceptance })).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringMatching(/^api cannot delegate this: the subtask takes \d+ bytes and 61440 are/),
    });
    expect(await engine.tasks(run)).toHaveLength(PLAN.length);
  });

  it('makes a task of the run that begins at once, beside its parent and in the same joins', async () => {
    const { run, fence } = await heldTask();
    const { key } = await delegate(fence, { acceptance: ['the tests pass'] });
    expect(key).toBe('api-s1');
    expect(await engine.task(run, key)).toMatchObject({
      kind: 'work',
      parent: 'api',
      depth: 1,
      agent: 'qa_testing',
      pool: 'specialist',
      state: 'pending',
      dependencies: [],
      dependants: ['docs'],
      acceptance: ['the tests pass'],
    });
    expect(dispatched()).toEqual(['api-s1']);
  });

  it('is the same subtask when the same is proposed again, and starts one that nobody started', async () => {
    const { run, fence } = await heldTask();
    const [first, second] = await Promise.all([delegate(fence), delegate(fence)]);
    const third = await delegate(fence, { title: 'Said otherwise' });
    expect([second.key, third.key]).toEqual([first.key, first.key]);
    expect((await engine.tasks(run)).filter(({ parent }) => parent === 'api')).toHaveLength(1);
    expect(dispatched()).toContain('api-s1');
  });

  it('keeps out of the way of a planned task that has such a name already', async () => {
    const plan = [...PLAN, { id: 'api-s1', agent: 'qa_testing', instructions: 'Planned.' }];
    const { fence } = await heldTask({}, plan);
    expect((await delegate(fence)).key).toBe('api-s2');
  });

  it('keeps secrets out of what the other agent is told', async () => {
    const { run, fence } = await heldTask();
    const secret = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
    await delegate(fence, { instructions: `Use ${secret}.` });
    expect((await engine.task(run, 'api-s1')).instructions).toBe('Use [redacted: GitHub token].');
  });

  it('is stale for whoever no longer holds the task', async () => {
    const { run, fence } = await heldTask();
    await expect(delegate({ ...fence, claimId: 'guessed' })).rejects.toMatchObject({ code: 'stale' });
    await succeed(fence);
    await expect(delegate(fence)).rejects.toMatchObject({ code: 'stale' });
    expect((await engine.tasks(run)).map(({ id }) => id)).toEqual(['api', 'docs']);
  });
});

describe('A join', () => {
  it('waits for what a dependency delegated, however late that ends', async () => {
    const { run, fence } = await heldTask();
    await delegate(fence);
    engine.mail.length = 0;
    await succeed(fence);
    await engine.drain();
    expect((await engine.task(run, 'docs')).state).toBe('pending');
    const child = await claim(run, 'api-s1');
    await succeed(child);
    await engine.drain();
    expect((await engine.task(run, 'docs')).state).toBe('succeeded');
    expect((await engine.run(run)).stage).toBe('succeeded');
  });

  it('is not waited for when a required subtask fails: what stands behind its parent is skipped', async () => {
    const { run, fence } = await heldTask();
    await delegate(fence);
    const child = await claim(run, 'api-s1');
    const failure = { code: 'invalid_input' as const, message: 'there is nothing to test' };
    await finishAttempt(engine.ports, child, attemptResult.parse({ outcome: 'failed', failure }));
    await succeed(fence);
    await engine.drain();
    expect((await engine.task(run, 'docs')).state).toBe('skipped');
    expect(await engine.run(run)).toMatchObject({ stage: 'failed', reason: { code: 'invalid_input' } });
  });

  it('goes on without a subtask of an optional task', async () => {
    const [api, docs] = PLAN;
    const { run, fence } = await heldTask({}, [{ ...api, optional: true }, docs!]);
    await delegate(fence);
    const child = await claim(run, 'api-s1');
    const failure = { code: 'invalid_input' as const, message: 'there is nothing to test' };
    await finishAttempt(engine.ports, child, attemptResult.parse({ outcome: 'failed', failure }));
    await succeed(fence);
    await engine.drain();
    expect((await engine.run(run)).stage).toBe('succeeded');
  });

  it('waits for the subtasks of a subtask', async () => {
    const { run, fence } = await heldTask();
    await delegate(fence);
    const child = await claim(run, 'api-s1');
    expect((await delegate(child, { agent: 'project_architect' })).key).toBe('api-s1-s1');
    engine.mail.length = 0;
    await succeed(fence);
    await succeed(child);
    await engine.drain();
    expect((await engine.task(run, 'docs')).state).toBe('pending');
    await succeed(await claim(run, 'api-s1-s1'));
    await engine.drain();
    expect((await engine.run(run)).stage).toBe('succeeded');
  });
});

describe('A cancelled run', () => {
  it('takes its subtasks with it, and has no new ones', async () => {
    const { run, fence } = await heldTask();
    await delegate(fence);
    await cancelRun(engine.ports, TENANT, run, 'dana');
    expect((await engine.task(run, 'api-s1')).state).toBe('cancelled');
    await expect(delegate(fence, { id: 'call-2' })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('takes a subtask with it that was written while it was cancelled', async () => {
    const { run, fence } = await heldTask();
    const { store } = engine.ports;
    const commit = store.commit.bind(store);
    let isCancelled = false;
    store.commit = async (writes) => {
      const isBirth = writes.some(({ op, ref }) => op === 'create' && ref.id === 'api-s1');
      if (isBirth && !isCancelled) {
        isCancelled = true;
        await cancelRun(engine.ports, TENANT, run, 'dana');
      }
      return commit(writes);
    };
    await delegate(fence);
    expect(isCancelled).toBe(true);
    expect(await engine.task(run, 'api-s1')).toMatchObject({ state: 'cancelled', live: false });
  });
});

describe('The rules of delegation', () => {
  it('end three delegations below the plan', async () => {
    const { run, fence } = await heldTask();
    const agents = ['qa_testing', 'technical_writer', 'project_architect'];
    let holder = fence;
    for (const agent of agents) {
      const { key } = await delegate(holder, { agent, budgetUsd: 0.05 });
      holder = await claim(run, key);
      // Enough at every depth, so that only the depth refuses.
      await enrich(run, key, holder);
    }
    expect((await engine.task(run, 'api-s1-s1-s1')).depth).toBe(3);
    await expect(delegate(holder, { agent: 'code_reviewer' })).rejects.toThrow('3 delegations deep');
  });

  it('stop after ten subtasks of one task, also when all are asked for at once', async () => {
    const { run, fence } = await heldTask();
    const asked = Array.from({ length: MAX_FAN_OUT + 3 }, (_, n) =>
      delegate(fence, { id: `call-${n}`, budgetUsd: 0.01 }).catch((error: Error) => error.message),
    );
    const answers = await Promise.all(asked);
    const children = (await engine.tasks(run)).filter(({ parent }) => parent === 'api');
    expect(children.length).toBeLessThanOrEqual(MAX_FAN_OUT);
    for (let n = 0; n < MAX_FAN_OUT + 3; n += 1)
      await delegate(fence, { id: `call-${n}`, budgetUsd: 0.01 }).catch(() => undefined);
    const all = (await engine.tasks(run)).filter(({ parent }) => parent === 'api');
    expect(all).toHaveLength(MAX_FAN_OUT);
    expect(answers).toHaveLength(MAX_FAN_OUT + 3);
    await expect(delegate(fence, { id: 'one-more', budgetUsd: 0.01 })).rejects.toThrow('at most 10');
  });

  it('let no chain go round in circles', async () => {
    const { run, fence } = await heldTask();
    await expect(delegate(fence, { agent: 'backend_developer' })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await delegate(fence);
    const child = await claim(run, 'api-s1');
    await expect(delegate(child, { agent: 'backend_developer' })).rejects.toThrow(
      'backend_developer → qa_testing',
    );
  });

  it.each([
    ['an agent that there is not', { agent: 'nobody' }, 'no agent nobody'],
    ["the platform's own agent", { agent: 'integrator' }, 'no agent integrator'],
  ])('give nothing to %s', async (_, change, reason) => {
    const { fence } = await heldTask();
    await expect(delegate(fence, change)).rejects.toThrow(reason);
  });

  it('give the tool only to agents whose file names it', async () => {
    const plan = [{ id: 'api', agent: 'code_reviewer', instructions: 'Judge it.' }];
    const { fence } = await heldTask({}, plan);
    await expect(delegate(fence)).rejects.toThrow('may not delegate');
  });
});

describe('The money of a subtask', () => {
  it('comes out of what its parent may spend, at once', async () => {
    const { run, fence } = await heldTask();
    const before = await engine.task(run, 'api');
    await delegate(fence, { budgetUsd: 0.1 });
    const after = await engine.task(run, 'api');
    expect(after.allotmentMicroUsd).toBe(before.allotmentMicroUsd - 100_000);
    expect(after.attempts[0]?.meter.allowanceMicroUsd).toBe(
      (before.attempts[0]?.meter.allowanceMicroUsd ?? 0) - 100_000,
    );
    expect((await engine.task(run, 'api-s1')).allotmentMicroUsd).toBe(100_000);
  });

  it('leaves half of what an attempt began with to itself, whatever it asks for', async () => {
    const { run, fence } = await heldTask();
    const began = (await engine.task(run, 'api')).allotmentMicroUsd;
    await expect(delegate(fence, { budgetUsd: (began * 0.51) / 1e6 })).rejects.toMatchObject({
      code: 'budget',
    });
    await delegate(fence, { budgetUsd: (began * 0.3) / 1e6 });
    await expect(delegate(fence, { id: 'call-2', budgetUsd: (began * 0.21) / 1e6 })).rejects.toMatchObject({
      code: 'budget',
    });
    await delegate(fence, { id: 'call-2', budgetUsd: (began * 0.19) / 1e6 });
  });

  it('is never so little that it pays no call', async () => {
    const { fence } = await heldTask();
    await expect(delegate(fence, { budgetUsd: MIN_SUBTASK_MICRO_USD / 1e6 / 2 })).rejects.toMatchObject({
      code: 'budget',
    });
  });

  it('is not given away while a call of the parent may need it', async () => {
    const { run, fence } = await heldTask();
    const began = (await engine.task(run, 'api')).allotmentMicroUsd;
    await reserve(engine.ports, fence, { microUsd: Math.floor(began * 0.45), model: 'claude-sonnet-5-5' });
    await expect(delegate(fence, { budgetUsd: (began * 0.1) / 1e6 })).rejects.toMatchObject({
      code: 'budget',
    });
  });

  it('adds up: parent and subtasks never spend more than the parent was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const { run } = await heldTask({ policy: { maxAttempts: 10 } });
        const given = (await engine.task(run, 'api')).allotmentMicroUsd;
        try {
          await play(run, steps);
          const family = (await engine.tasks(run)).filter(
            ({ id, parent }) => id === 'api' || parent !== undefined,
          );
          const sum = (of: (task: (typeof family)[number]) => number) =>
            family.reduce((total, task) => total + of(task), 0);
          expect(sum(({ allotmentMicroUsd }) => allotmentMicroUsd)).toBe(given);
          const spent = sum(({ attempts }) =>
            attempts.reduce((total, { meter }) => total + meter.spentMicroUsd + meter.reservedMicroUsd, 0),
          );
          expect(spent).toBeLessThanOrEqual(given);
        } finally {
          await engine.close();
        }
      }),
      { numRuns: 12 },
    );
    engine = await startEngine();
  });
});

const step = fc.record({
  task: fc.nat(4),
  deed: fc.constantFrom('delegate', 'delegate twice', 'spend', 'lose', 'finish'),
  share: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const AGENTS = ['qa_testing', 'technical_writer', 'project_architect'];

/** Attempts of a whole family at once: they delegate, spend, are lost and come again. What is refused is refused. */
async function play(run: string, steps: Step[]): Promise<void> {
  const held = new Map<string, Fence>();
  for (const [n, { task: index, deed, share }] of steps.entries()) {
    const family = (await engine.tasks(run)).filter(({ id, parent }) => id === 'api' || parent !== undefined);
    const task = family[index % family.length];
    if (task === undefined || !task.live) continue;
    if (task.state === 'pending') {
      engine.clock.advance(60_000);
      held.set(task.id, await claim(run, task.id, task.attempts.length + 1));
    }
    const fence = held.get(task.id);
    const meter = (await engine.task(run, task.id)).attempts.at(-1)?.meter;
    if (fence === undefined || meter === undefined) continue;
    const microUsd = Math.floor(meter.allowanceMicroUsd * share);
    const ask = (id: string) =>
      delegate(fence, { id, agent: AGENTS[n % 3]!, budgetUsd: Math.max(1, microUsd) / 1e6 }).catch(
        () => undefined,
      );
    if (deed === 'delegate') await ask(`call-${n}`);
    if (deed === 'delegate twice') await Promise.all([ask(`call-${n}`), ask(`call-${n}-b`)]);
    if (deed === 'spend') await spend(fence, microUsd);
    if (deed === 'lose') await fail(fence, 'lost');
    if (deed === 'finish') await fail(fence, 'network');
  }
}

async function spend(fence: Fence, microUsd: number): Promise<void> {
  const usage = { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 };
  try {
    await reserve(engine.ports, fence, { microUsd, model: 'claude-sonnet-5-5' });
    await settle(engine.ports, fence, {
      reservedMicroUsd: microUsd,
      spentMicroUsd: microUsd,
      usage,
      answered: true,
    });
  } catch {
    // More than there is: the meter says no.
  }
}

async function fail(fence: Fence, code: 'lost' | 'network'): Promise<void> {
  const failure = { code, message: 'gone' };
  await finishAttempt(engine.ports, fence, attemptResult.parse({ outcome: 'failed', failure }));
}

/** More money for one held task, so that another rule is the one that refuses. */
async function enrich(run: string, id: string, fence: Fence): Promise<void> {
  const { store } = engine.ports;
  const ref = { collection: `tenants/${TENANT}/runs/${run}/tasks`, id };
  const task = await engine.task(run, id);
  const [attempt] = task.attempts;
  if (attempt === undefined || attempt.generation !== fence.generation) throw new Error(`${id} is not held`);
  const meter = { ...attempt.meter, allowanceMicroUsd: 1_000_000 };
  await store.commit([{ op: 'set', ref, data: { ...task, attempts: [{ ...attempt, meter }] } }]);
}
