import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { taskRun, type TaskRun } from '../../shared/messages/task-run.ts';
import { inProcess, type Platform, post, startPlatform } from '../support/platform.ts';

const describeHere = inProcess(describe, 'an attempt that the test plays itself');

type Work = 'succeeded' | 'failed';

const task = (more: object = {}) => ({
  taskId: 7,
  serviceName: 'auth-service',
  markdownFiles: [{ filename: 'task.md', content: 'Describe the login.', fileType: 'task' }],
  ...more,
});

describeHere('A TaskRun from its submission to its end (002-26, 002-27, 002-30, 002-38)', () => {
  let platform: Platform;
  let finish: (work: Work) => void;
  let started: Promise<void>;
  beforeEach(async () => {
    let begin = () => {};
    started = new Promise((resolve) => {
      begin = resolve;
    });
    const told = new Promise<Work>((resolve) => {
      finish = resolve;
    });
    platform = await startPlatform({
      work: async () => {
        begin();
        return (await told) === 'succeeded'
          ? { outcome: 'succeeded', summary: 'It is described.' }
          : { outcome: 'failed', failure: { code: 'invalid_input', message: 'nothing was asked for' } };
      },
    });
  });
  afterEach(() => {
    finish('succeeded');
    return platform.stop();
  });

  async function read(name = 'auth-service-7'): Promise<TaskRun> {
    const response = await fetch(`${platform.url}/api/v1/taskruns/${name}`);
    expect(response.status).toBe(200);
    return taskRun.strict().parse(await response.json());
  }
  const submit = async (more: object = {}): Promise<TaskRun> => {
    const { status, body } = await post(`${platform.url}/api/v1/pm/tasks`, task(more));
    expect(status).toBe(202);
    return taskRun.strict().parse(body);
  };
  const conditions = ({ status }: TaskRun) =>
    Object.fromEntries(status.conditions.map((one) => [one.type, one.status]));

  it('is Pending, then Running, then Succeeded, with five conditions that say so', async () => {
    const { status } = await submit();
    expect(status.phase).toBe('Pending');

    await started;
    const running = await read();
    expect(running.status).toMatchObject({ phase: 'Running', runId: status.runId });
    expect(conditions(running)).toEqual({
      Created: 'True',
      Validated: 'True',
      ResourcesReady: 'True',
      Monitored: 'True',
      CleanedUp: 'False',
    });

    finish('succeeded');
    await platform.ended(status.runId);
    const ended = await read();
    expect(ended.status.phase).toBe('Succeeded');
    expect(conditions(ended)).toEqual({
      Created: 'True',
      Validated: 'True',
      ResourcesReady: 'True',
      Monitored: 'False',
      CleanedUp: 'True',
    });
    const times = ended.status.events.map(({ at }) => Date.parse(at));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(ended.status.events.map(({ message }) => message)).toContain('task-7 succeeded');
  });

  it('is Failed with the reason when its task fails', async () => {
    const { status } = await submit();
    finish('failed');
    await platform.ended(status.runId);
    const ended = await read();
    expect(ended.status.phase).toBe('Failed');
    expect(
      ended.status.events.some(
        ({ type, message }) => type === 'Warning' && message.includes('nothing was asked for'),
      ),
    ).toBe(true);
  });

  it('is Cancelled when somebody cancels its run', async () => {
    const { status } = await submit();
    await started;
    expect((await platform.post(`/api/runs/${status.runId}/cancel`, {})).status).toBe(202);
    finish('succeeded');
    await platform.ended(status.runId);
    expect((await read()).status.phase).toBe('Cancelled');
  });

  it('submitted again after its end is the existing one, as it stands', async () => {
    const { status } = await submit();
    finish('succeeded');
    await platform.ended(status.runId);
    const again = await submit();
    expect(again.status).toMatchObject({ runId: status.runId, phase: 'Succeeded' });
    expect(again).toEqual(await read());
  });

  it('submitted as its next attempt is a new run, and its name shows the newest', async () => {
    const first = await submit();
    finish('succeeded');
    await platform.ended(first.status.runId);
    const second = await submit({ retryAttempt: 2 });
    await platform.ended(second.status.runId);
    expect((await read()).status.runId).toBe(second.status.runId);
    expect((await read()).spec.retryAttempt).toBe(2);
  });

  it.each(['nobody-1', '..', '%2e%2e%2fx', 'a%00b', '__x__'])('of the name %s is not found', async (name) => {
    const response = await fetch(`${platform.url}/api/v1/taskruns/${name}`);
    expect([400, 404]).toContain(response.status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });
});
