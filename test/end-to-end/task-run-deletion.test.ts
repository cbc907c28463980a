import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { taskRun, type TaskRun } from '../../shared/messages/task-run.ts';
import { inProcess, type Platform, post, startPlatform } from '../support/platform.ts';

const describeHere = inProcess(describe, 'an attempt that the test plays itself');

const body = {
  taskId: 7,
  serviceName: 'auth-service',
  markdownFiles: [{ filename: 'task.md', content: 'Describe the login.', fileType: 'task' }],
};

describeHere('A TaskRun that is deleted (002-18, 002-30, 002-66, 002-68)', () => {
  let folder: string;
  let platform: Platform;
  let begun: Promise<void>;
  let finish: () => void;
  const start = async () => {
    let begin = () => {};
    begun = new Promise((resolve) => (begin = resolve));
    const told = new Promise<void>((resolve) => (finish = resolve));
    platform = await startPlatform({
      folder,
      work: async () => {
        begin();
        await told;
        return { outcome: 'succeeded', summary: 'done', output: 'The login is described.' };
      },
    });
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-deletion-'));
    await start();
  });
  afterEach(async () => {
    finish();
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const path = (name = 'auth-service-7') => `${platform.url}/api/v1/taskruns/${name}`;
  const submit = async (): Promise<TaskRun> =>
    taskRun.parse((await post(`${platform.url}/api/v1/pm/tasks`, body)).body);
  const remove = async () => {
    const response = await fetch(path(), { method: 'DELETE' });
    return { status: response.status, view: taskRun.parse(await response.json()) };
  };
  const files = async (run: string) =>
    (await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile() && entry.parentPath.includes(run),
    );

  async function gone(): Promise<void> {
    const deadline = Date.now() + 10_000;
    while ((await fetch(path())).status !== 404) {
      if (Date.now() > deadline) throw new Error(JSON.stringify(await (await fetch(path())).json()));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('is gone with all its files, and may be submitted again as another one', async () => {
    const { status } = await submit();
    finish();
    await platform.ended(status.runId);
    expect((await files(status.runId)).length).toBeGreaterThan(0);
    const { view } = await remove();
    expect(view.status.phase).toBe('Succeeded');
    expect(view.metadata.deletionTimestamp).toBeDefined();
    await gone();
    expect(await files(status.runId)).toEqual([]);
    const again = await submit();
    expect(again.metadata.deletionTimestamp).toBeUndefined();
    expect(again.status.runId).not.toBe(status.runId);
  });

  it('has its work stopped first, and its deletion goes on after a restart', async () => {
    const { status } = await submit();
    await begun;
    const deleted = await remove();
    expect(deleted.status).toBe(202);
    expect(deleted.view.metadata.finalizers[0]).toBe('penstock/attempts');
    finish();
    await platform.stop();
    await start();
    finish();
    await gone();
    expect(await files(status.runId)).toEqual([]);
  });
});
