import { afterEach, describe, expect, it } from '@jest/globals';
import { agentExecution } from '../../../functions/agent-execution/agent-execution.ts';
import { parseScript } from '../../../shared/adapters/script/script-file.ts';
import { startScriptServer, type ScriptServer } from '../../../shared/adapters/script/script-server.ts';
import {
  type Door,
  type FunctionRuntime,
  openMessageDoor,
  openRuntime,
} from '../../runtime/function-door.ts';
import { createSampleRepository } from '../../support/sample-repository.ts';
import { messageDoor } from '../../runtime/message-door.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { executingRun, proposed, readTask, TENANT } from '../../runtime/seed.ts';

messageDoor(agentExecution, { v: 1, tenant: 'local', run: 'gone1234', task: 'first', generation: 1 });

const turns = [
  {
    id: 'specify',
    agent: 'project_architect',
    when: { contains: ['Do first.'] },
    answer: { text: 'It is specified.' },
  },
];

describe('Agent execution', () => {
  let runtime: FunctionRuntime;
  let model: ScriptServer;
  let door: Door;
  afterEach(async () => {
    await door.close();
    await runtime.remove();
    await model.stop();
  });
  async function open(env: Record<string, string> = {}): Promise<string> {
    model = await startScriptServer({
      script: parseScript(JSON.stringify({ name: 'test', note: 'scripted', turns }), 'test'),
    });
    runtime = await openRuntime({
      env,
      model: { provider: 'script', baseUrl: model.url, apiKey: 'scripted' },
    });
    door = await openMessageDoor(agentExecution, runtime);
    return (await executingRun(runtime)).id;
  }
  const push = (run: string, task = 'first', generation = 1) =>
    pushMessage(door.url, 'task-dispatched', { v: 1, tenant: TENANT, run, task, generation });
  const finished = () => runtime.published.filter(({ topic }) => topic === 'task-finished');

  it('claims the task, lets its agent work, stores the result and says so', async () => {
    const run = await open();
    expect(await push(run)).toBe(204);
    const task = await readTask(runtime, run, 'first');
    expect(task).toMatchObject({
      state: 'succeeded',
      settled: true,
      result: { summary: expect.stringContaining('It is specified.') },
    });
    expect(task.attempts).toMatchObject([
      { generation: 1, exit: { outcome: 'succeeded' }, meter: { calls: 1, reservedMicroUsd: 0 } },
    ]);
    expect(finished()).toMatchObject([{ message: { run, task: 'first', generation: 1 } }]);
  });

  it('works once when the message comes five times at once', async () => {
    const run = await open();
    const statuses = await Promise.all(Array.from({ length: 5 }, () => push(run)));
    expect(statuses).toEqual([204, 204, 204, 204, 204]);
    expect(model.calls()).toHaveLength(1);
    expect((await readTask(runtime, run, 'first')).attempts).toHaveLength(1);
  });

  it('says again that the task has ended when the message comes again after its end', async () => {
    const run = await open();
    await push(run);
    await push(run);
    expect(model.calls()).toHaveLength(1);
    expect(finished()).toHaveLength(2);
  });

  it.each([0, 2, 7])('does nothing for generation %d, which is not due', async (generation) => {
    const run = await open();
    expect(await push(run, 'first', generation)).toBe(204);
    expect((await readTask(runtime, run, 'first')).attempts).toEqual([]);
    expect(model.calls()).toEqual([]);
  });

  it('ends the attempt, not the delivery, when the model has no answer', async () => {
    const run = await open();
    expect(await push(run, 'second')).toBe(204);
    const task = await readTask(runtime, run, 'second');
    expect(task.attempts).toMatchObject([{ exit: { outcome: 'failed' } }]);
    expect(task.state).not.toBe('succeeded');
  });

  it('hands a task of the job lane to a job with a ticket that is stored only as a hash', async () => {
    await open();
    const repository = createSampleRepository({ 'README.md': 'A sample.\n' });
    const plan = { tasks: [proposed('build', { agent: 'backend_developer' })] };
    const { id } = await executingRun(runtime, {
      target: { host: 'local-git', repository: repository.folder },
      plan,
    });
    repository.remove();
    expect(await push(id, 'build')).toBe(204);
    const task = await readTask(runtime, id, 'build');
    expect(task.attempts).toMatchObject([
      { generation: 1, ticketHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(task.state).toBe('starting');
  });
});
