import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { continueDeletions } from '../../../shared/core/deletion/continue-deletions.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { submitRun } from '../../../shared/core/submit-run.ts';
import { taskRun, type TaskRun } from '../../../shared/messages/task-run.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { claim, finish, plannedTask, startRun } from './drive-run.ts';

describe('a TaskRun over HTTP', () => {
  let world: ApiWorld;
  beforeAll(async () => {
    world = await openApiWorld();
  });
  afterAll(() => world.close());

  const submission = (taskId: number) => ({
    taskRun: {
      name: `auth-service-${taskId}`,
      taskId,
      serviceName: 'auth-service',
      retryAttempt: 1,
      files: [{ filename: 'task.md', content: '# Do it', fileType: 'task' }],
    },
    plan: { tasks: [plannedTask('write')] },
    priority: 'high' as const,
  });

  async function start(taskId: number): Promise<Run> {
    const run = await startRun(world.runtime.ports, submission(taskId));
    await name(run);
    return run;
  }

  async function name(run: Run): Promise<void> {
    const id = run.taskRun?.name ?? '';
    await world.runtime.store.create(refs.taskRun(run.tenant, id), { v: 1, name: id, run: run.id });
  }

  async function read(taskId: number): Promise<TaskRun> {
    return taskRun.parse(await world.read(`/api/v1/taskruns/auth-service-${taskId}`));
  }

  function statusOf({ status }: TaskRun): Record<string, string> {
    return Object.fromEntries(status.conditions.map((condition) => [condition.type, condition.status]));
  }

  it('has the names and the specification that it was submitted with (002-19..25, 002-28, 002-29)', async () => {
    const run = await start(1001);
    const view = await read(1001);
    expect(view).toMatchObject({
      apiVersion: 'orchestrator.io/v1',
      kind: 'TaskRun',
      metadata: { name: 'auth-service-1001', namespace: 'local' },
      spec: { taskId: 1001, serviceName: 'auth-service', priority: 'high', retryAttempt: 1 },
      status: { configMapName: 'auth-service-1001-files', jobName: 'auth-service-1001-job', runId: run.id },
    });
    expect(view.spec.markdownFiles).toEqual([{ filename: 'task.md', content: '# Do it', fileType: 'task' }]);
  });

  it('is pending before its plan, running with it, and succeeded at the end (002-26)', async () => {
    const { ports } = world.runtime;
    const { run: accepted } = await submitRun(ports, {
      tenant: 'local',
      title: 'waits',
      requirement: 'waits',
      origin: { kind: 'pm', actor: 'local' },
      dryRun: false,
      ...submission(1),
    });
    await name(accepted);
    expect((await read(1)).status.phase).toBe('Pending');
    const run = await start(2);
    const fence = await claim(ports, run, 'write');
    expect((await read(2)).status.phase).toBe('Running');
    await finish(ports, run, fence);
    expect((await read(2)).status.phase).toBe('Succeeded');
  });

  it('shows its lifecycle as five conditions, each with the time at which it changed (002-27, 002-30)', async () => {
    const { ports } = world.runtime;
    const run = await start(3);
    expect(statusOf(await read(3))).toEqual({
      Created: 'True',
      Validated: 'True',
      ResourcesReady: 'False',
      Monitored: 'False',
      CleanedUp: 'False',
    });
    const fence = await claim(ports, run, 'write');
    const running = await read(3);
    expect(statusOf(running)).toMatchObject({
      ResourcesReady: 'True',
      Monitored: 'True',
      CleanedUp: 'False',
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await finish(ports, run, fence);
    const ended = await read(3);
    expect(statusOf(ended)).toMatchObject({ ResourcesReady: 'True', Monitored: 'False', CleanedUp: 'True' });
    const timeOf = (view: TaskRun, type: string) =>
      view.status.conditions.find((condition) => condition.type === type)?.lastTransitionTime ?? '';
    const task = (await ports.store.get(refs.task('local', run.id, 'write')))?.data;
    const startedAt = task?.history.find(({ state }) => state === 'running')?.at ?? 0;
    expect(timeOf(ended, 'ResourcesReady')).toBe(new Date(startedAt).toISOString());
    expect(timeOf(ended, 'CleanedUp') > timeOf(ended, 'ResourcesReady')).toBe(true);
  });

  it('tells its events in order, and is cancelled when its run is', async () => {
    const { ports } = world.runtime;
    const run = await start(4);
    await cancelRun(ports, 'local', run.id, 'local');
    const { status } = await read(4);
    expect(status.phase).toBe('Cancelled');
    expect(status.events.map(({ message }) => message)).toContain('write cancelled: the run was cancelled');
    expect(status.events.at(-1)?.message).toMatch(/^run cancelled/);
  });

  it('shows its finalizers from the beginning, is marked when it is deleted, and is gone when they are (002-18, 002-30)', async () => {
    const { ports } = world.runtime;
    const run = await start(5);
    const fence = await claim(ports, run, 'write');
    const path = '/api/v1/taskruns/auth-service-5';
    const finalizers = ['penstock/attempts', 'penstock/files', 'penstock/records'];
    expect((await read(5)).metadata).toEqual({
      name: 'auth-service-5',
      namespace: 'local',
      creationTimestamp: expect.any(String),
      finalizers,
    });
    const answer = await world.app.request(path, { method: 'DELETE' });
    expect(answer.status).toBe(202);
    const deleted = taskRun.parse(await answer.json());
    expect(deleted.metadata).toMatchObject({ deletionTimestamp: expect.any(String), finalizers });
    expect(deleted.status.conditions.at(-1)).toMatchObject({
      type: 'CleanedUp',
      status: 'False',
      reason: 'Deleting',
      message: `still to be deleted: ${finalizers.join(', ')}`,
      lastTransitionTime: deleted.metadata.deletionTimestamp,
    });
    expect(await (await world.app.request(path, { method: 'DELETE' })).json()).toEqual(deleted);

    await continueDeletions(ports);
    expect((await read(5)).metadata).toMatchObject({ finalizers });
    await finish(ports, run, fence);
    expect((await read(5)).status.phase).toBe('Cancelled');
    await continueDeletions(ports);
    expect((await world.app.request(path)).status).toBe(404);
    expect((await world.app.request(path, { method: 'DELETE' })).status).toBe(404);
    expect((await world.app.request(`/api/runs/${run.id}`)).status).toBe(404);
  });

  it('is not there under another name', async () => {
    expect((await world.app.request('/api/v1/taskruns/auth-service-77')).status).toBe(404);
  });
});
