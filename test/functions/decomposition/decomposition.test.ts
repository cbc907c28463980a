import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSampleRepository } from '../../support/sample-repository.ts';
import { decomposition } from '../../../functions/decomposition/decomposition.ts';
import { readPlan } from '../../../shared/core/plan/stored-plan.ts';
import { readTasks } from '../../../shared/core/run-tasks.ts';
import {
  type Door,
  type FunctionRuntime,
  openMessageDoor,
  openRuntime,
} from '../../runtime/function-door.ts';
import { messageDoor } from '../../runtime/message-door.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { acceptedRun, proposed, readRun, TENANT } from '../../runtime/seed.ts';

messageDoor(decomposition, { v: 1, tenant: 'local', run: 'gone1234' });

describe('Decomposition', () => {
  let runtime: FunctionRuntime;
  let door: Door;
  beforeEach(async () => {
    runtime = await openRuntime();
    door = await openMessageDoor(decomposition, runtime);
  });
  afterEach(async () => {
    await door.close();
    await runtime.remove();
  });
  const push = (run: string) =>
    pushMessage(
      door.url,
      'run-accepted',
      { v: 1, tenant: TENANT, run },
      { attributes: { tenant: TENANT, run } },
    );
  const dispatched = () =>
    runtime.published.filter(({ topic }) => topic === 'task-dispatched').map(({ message }) => message);

  it('turns a given plan into tasks and dispatches what waits for nothing', async () => {
    const { id } = await acceptedRun(runtime);
    expect(await push(id)).toBe(204);
    expect((await readRun(runtime, id)).stage).toBe('executing');
    expect((await readTasks(runtime.store, TENANT, id)).map((task) => [task.id, task.state])).toEqual([
      ['first', 'pending'],
      ['second', 'pending'],
    ]);
    expect(dispatched()).toEqual([{ v: 1, tenant: TENANT, run: id, task: 'first', generation: 1 }]);
  });

  it('does nothing new when its message comes again, but dispatches again what may have been lost', async () => {
    const { id } = await acceptedRun(runtime);
    await push(id);
    const before = await readRun(runtime, id);
    expect(await push(id)).toBe(204);
    expect(await readRun(runtime, id)).toEqual(before);
    expect(dispatched()).toHaveLength(2);
  });

  it('stops after the plan of a dry run', async () => {
    const { id } = await acceptedRun(runtime, { dryRun: true });
    await push(id);
    expect(await readRun(runtime, id)).toMatchObject({ stage: 'succeeded', plan: { tasks: 2 } });
    expect(dispatched()).toEqual([]);
  });

  it('ends a run whose repository is not there, with the reason', async () => {
    const { id } = await acceptedRun(runtime, {
      target: { host: 'local-git', repository: '/nowhere/at/all' },
    });
    expect(await push(id)).toBe(204);
    const run = await readRun(runtime, id);
    expect(run.stage).toBe('failed');
    expect(run.reason?.message).toContain('/nowhere/at/all');
  });

  it.each([
    ['lowers', 1, 1_000_000],
    ['never raises', 100, 2_000_000],
  ])('%s the budget of a run to what its repository allows', async (_name, budgetUsd, limitMicroUsd) => {
    const sample = createSampleRepository({ '.github/penstock.yml': `budgetUsd: ${budgetUsd}\n` });
    try {
      const { id } = await acceptedRun(runtime, {
        target: { host: 'local-git', repository: sample.folder },
        budgetMicroUsd: 2_000_000,
      });
      expect(await push(id)).toBe(204);
      expect(await readRun(runtime, id)).toMatchObject({
        budget: { limitMicroUsd },
        chargedMicroUsd: limitMicroUsd,
      });
    } finally {
      sample.remove();
    }
  });

  it('ends a run whose tasks no record can hold, instead of leaving it waiting', async () => {
    const tasks = [proposed('large', { instructions: 'x'.repeat(10_000) })];
    const { id, givenPlan } = await acceptedRun(runtime, { plan: { tasks } });
    const source = givenPlan?.source;
    if (source === undefined || 'text' in source) throw new Error('the plan is no blob');
    // From before plans were refused for it.
    const plan = await readPlan(runtime.ports, source);
    const larger = plan.tasks.map((task) => ({
      ...task,
      instructions: '字'.repeat(20_000),
      acceptance: Array.from({ length: 20 }, () => '字'.repeat(1_000)),
    }));
    const text = JSON.stringify({ ...plan, tasks: larger });
    await runtime.ports.blobs.put(source.key, text, { contentType: 'application/json' });
    expect(await push(id)).toBe(204);
    expect(await readRun(runtime, id)).toMatchObject({ stage: 'failed', reason: { code: 'too_large' } });
  });
});
