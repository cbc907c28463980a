import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resultHandling } from '../../../functions/result-handling/result-handling.ts';
import { executeTask } from '../../../shared/core/execute-task.ts';
import type { PlanProposal } from '../../../shared/messages/plan.ts';
import {
  type Door,
  type FunctionRuntime,
  openMessageDoor,
  openRuntime,
} from '../../runtime/function-door.ts';
import { messageDoor } from '../../runtime/message-door.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { executingRun, proposed, readRun, readTask, TENANT } from '../../runtime/seed.ts';

messageDoor(resultHandling, { v: 1, tenant: 'local', run: 'gone1234', task: 'first', generation: 1 });

describe('Result handling', () => {
  let runtime: FunctionRuntime;
  let door: Door;
  let answer: 'succeeded' | 'failed';
  beforeEach(async () => {
    answer = 'succeeded';
    runtime = await openRuntime({
      work: () =>
        Promise.resolve(
          answer === 'succeeded'
            ? { outcome: 'succeeded', summary: 'done' }
            : { outcome: 'failed', failure: { code: 'invalid_input', message: 'nonsense was asked for' } },
        ),
    });
    door = await openMessageDoor(resultHandling, runtime);
  });
  afterEach(async () => {
    await door.close();
    await runtime.remove();
  });

  const push = (run: string, task: string) =>
    pushMessage(door.url, 'task-finished', { v: 1, tenant: TENANT, run, task, generation: 1 });
  const execute = (run: string, task: string) =>
    executeTask(runtime.ports, { v: 1, tenant: TENANT, run, task, generation: 1 });
  const dispatched = () =>
    runtime.published.flatMap(({ topic, message }) =>
      topic === 'task-dispatched' && 'task' in message ? [message.task] : [],
    );
  const diamond: PlanProposal = {
    tasks: [proposed('a'), proposed('b'), proposed('c', { dependencies: ['a', 'b'] })],
  };

  it('releases a task only when all that it waits for has succeeded', async () => {
    const { id } = await executingRun(runtime, { plan: diamond });
    await execute(id, 'a');
    await push(id, 'a');
    expect(dispatched()).toEqual(['a', 'b']);
    await execute(id, 'b');
    await push(id, 'b');
    expect(dispatched()).toEqual(['a', 'b', 'c']);
  });

  it('ends the run after its last task', async () => {
    const { id } = await executingRun(runtime);
    for (const task of ['first', 'second']) {
      await execute(id, task);
      expect(await push(id, task)).toBe(204);
    }
    expect((await readRun(runtime, id)).stage).toBe('succeeded');
  });

  it('skips what stands behind a failed task, and ends the run with its reason', async () => {
    const { id } = await executingRun(runtime);
    answer = 'failed';
    await execute(id, 'first');
    await push(id, 'first');
    expect((await readTask(runtime, id, 'second')).state).toBe('skipped');
    expect(await readRun(runtime, id)).toMatchObject({
      stage: 'failed',
      reason: { message: expect.stringContaining('nonsense was asked for') },
    });
  });

  it('believes the record, not the message: a task that has not ended releases nothing', async () => {
    const { id } = await executingRun(runtime);
    expect(await push(id, 'first')).toBe(204);
    expect(dispatched()).toEqual(['first']);
    expect((await readRun(runtime, id)).stage).toBe('executing');
  });

  it('has one terminal entry however often the last message comes', async () => {
    const { id } = await executingRun(runtime);
    for (const task of ['first', 'second']) {
      await execute(id, task);
      await Promise.all([push(id, task), push(id, task), push(id, task)]);
    }
    const run = await readRun(runtime, id);
    expect(run.history.filter(({ state }) => state === 'succeeded')).toHaveLength(1);
  });
});
