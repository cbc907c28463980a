import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import { acceptedRun } from '../../../shared/messages/requirement-body.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { runPenstock } from '../../support/run-penstock.ts';

const task = (id: string, dependencies: string[] = []) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: `Do ${id}.`,
});
const FAILED: AttemptResultInput = {
  outcome: 'failed',
  failure: { code: 'invalid_input', message: 'it makes no sense' },
};

describe('penstock pause, resume, retry and fork', () => {
  let platform: Platform;
  let isBroken = true;
  /** Lets the task `slow` come to its end. */
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  beforeAll(async () => {
    platform = await startPlatform({
      work: async (open) => {
        const { task: id } = (await open()).attempt.brief;
        if (id === 'slow') await released;
        return id === 'b' && isBroken ? FAILED : { outcome: 'succeeded', summary: `${id} is done` };
      },
    });
  });
  afterAll(() => platform.stop());
  const penstock = (...args: string[]) => runPenstock(args, { env: { PENSTOCK_URL: platform.url } });
  const submit = async (plan: object[]) => {
    const { body } = await platform.post('/api/requirements', {
      requirement: 'Do it.',
      plan: { tasks: plan },
    });
    return String(body['runId']);
  };

  it('start a new run with what succeeded in one that failed, and follow-up commands name it', async () => {
    const old = (await platform.ended(await submit([task('a'), task('b', ['a'])]))).id;
    const pause = await penstock('pause', old);
    expect(pause).toMatchObject({
      code: 2,
      stderr: `penstock: run ${old} has already failed; there is nothing to pause\n`,
    });
    isBroken = false;
    const retried = await penstock('retry', old);
    const id = /^run (\w+) retries/.exec(retried.stdout)?.[1] ?? '';
    expect(retried).toMatchObject({
      code: 0,
      stdout: `run ${id} retries ${old}; 'npx penstock watch ${id}' follows it\n`,
    });
    expect(await platform.ended(id)).toMatchObject({
      stage: 'succeeded',
      forkedFrom: { run: old, reuse: ['a'] },
    });
    expect((await penstock('show', id)).stdout).toContain(`  repeats      run ${old}, 1 result taken over\n`);
    const args = ['fork', id, '--task', 'a', '--instructions', 'Otherwise.', '--json'];
    const forked = await penstock(...args);
    const { runId } = acceptedRun.parse(JSON.parse(forked.stdout));
    await platform.ended(runId);
    const tasks = await platform.tasks(runId);
    expect(tasks.map(({ instructions, attempts }) => [instructions, attempts.length])).toEqual([
      ['Otherwise.', 1],
      ['Do b.', 1],
    ]);
  });

  it('hold a run back and let it go on', async () => {
    const id = await submit([task('slow'), task('b', ['slow'])]);
    while ((await platform.run(id)).stage !== 'executing') await sleep(10);
    const [paused, json] = await Promise.all([penstock('pause', id), penstock('pause', id, '--json')]);
    expect(paused).toMatchObject({
      code: 0,
      stdout: `run ${id} is executing, paused; 'npx penstock resume ${id}' lets it go on\n`,
    });
    expect(JSON.parse(json.stdout)).toMatchObject({ id, paused: true });
    expect((await penstock('show', id)).stdout).toMatch(
      new RegExp(`^run ${id} {3}executing, paused {3}Do it\\.`),
    );
    release();
    const resumed = await penstock('resume', id);
    expect(resumed.stdout).toMatch(
      new RegExp(`^run ${id} is \\w+; 'npx penstock watch ${id}' follows it\n$`),
    );
    expect((await platform.ended(id)).stage).toBe('succeeded');
  });

  it('need the task to fork from', async () => {
    expect(await penstock('fork', 'abcd')).toMatchObject({
      code: 2,
      stderr: "penstock: required option '--task <task>' not specified; see 'penstock fork --help'\n",
    });
  });
});
