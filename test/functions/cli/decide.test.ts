import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import { startPlatform, type Platform } from '../../support/platform.ts';
import { runPenstock } from '../../support/run-penstock.ts';

const BROKE: AttemptResultInput = {
  outcome: 'failed',
  failure: { code: 'budget', message: 'nothing is left' },
};
const PLAN = {
  tasks: [
    { id: 'api', agent: 'technical_writer', instructions: 'Write.' },
    { id: 'docs', agent: 'technical_writer', instructions: 'Write.' },
    { id: 'last', agent: 'technical_writer', instructions: 'Write.', dependencies: ['api', 'docs'] },
  ],
};

describe('a run that waits for a decision, on the command line', () => {
  let platform: Platform;
  let runId: string;
  let decision: string;
  beforeEach(async () => {
    platform = await startPlatform({
      work: async (open) => {
        const { task, generation } = (await open()).attempt.brief;
        return task === 'api' && generation === 1 ? BROKE : { outcome: 'succeeded', summary: `${task} done` };
      },
    });
    const { body } = await platform.post('/api/requirements', { requirement: 'Write it.', plan: PLAN });
    runId = String(body['runId']);
    decision = await asked();
  });
  afterEach(() => platform.stop());

  const penstock = (...args: string[]) =>
    runPenstock(args, { env: { PENSTOCK_URL: platform.url, NO_COLOR: '1' } });
  async function asked(): Promise<string> {
    for (let tries = 0; tries < 200; tries += 1) {
      const task = (await platform.tasks(runId)).find(({ id }) => id === 'api');
      if (task?.decision !== undefined) return task.decision;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('nothing was asked');
  }

  it('is left by watch with exit code 4, the question and the commands that answer it (004-17)', async () => {
    const { code, stdout, stderr } = await penstock('watch', runId);
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toContain(`decision ${decision}: Task api stopped at its limit`);
    expect(stdout).toContain('docs done');
    expect(stdout).toContain(`npx penstock decide ${decision} raise [--budget USD]`);
    expect(stdout).toContain(`npx penstock decide ${decision} stop`);
    const json = await penstock('watch', '--json', runId);
    const events = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(json.code).toBe(4);
    expect(events.filter(({ type }) => type === 'decision_needed')).toHaveLength(1);
    expect((await penstock('show', runId)).stdout).toContain(`${decision} is open`);
  });

  it('goes on when it is answered, to its end (004-13)', async () => {
    const listed = await penstock('decide');
    expect(listed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`decision ${decision}   run ${runId}`),
    });
    const answered = await penstock('decide', decision, 'raise', '--budget', '5', '--comment', 'worth it');
    expect(answered).toMatchObject({ code: 0, stderr: '' });
    expect(answered.stdout).toContain(`decision ${decision}: raise to $5.00, by local: worth it`);
    const watched = await penstock('watch', runId);
    expect(watched.code).toBe(0);
    expect(watched.stdout).toContain('budget raised from $2.00 to $5.00 for task api');
    expect(watched.stdout).not.toContain('attempt local failed');
    expect((await platform.run(runId)).stage).toBe('succeeded');
  });

  it('fails when it is stopped, and says who did', async () => {
    const json = JSON.parse((await penstock('decide', '--json', decision, 'stop')).stdout) as object;
    expect(json).toMatchObject({ id: decision, state: 'decided', option: 'stop' });
    const watched = await penstock('watch', runId);
    expect(watched.code).toBe(1);
    expect(watched.stdout).toContain('its budget was not raised');
    expect((await penstock('decide')).stdout).toContain('nothing waits for a decision');
  });

  it('is not answered wrongly: the exit code is 2, and the reason stands in one line', async () => {
    for (const [args, text] of [
      [['nosuchone', 'stop'], 'there is no decision "nosuchone"'],
      [[decision, 'raise', '--budget', 'much'], "--budget is 'much'"],
    ] as const) {
      const { code, stderr } = await penstock('decide', ...args);
      expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
      expect(stderr).toContain(text);
    }
  });
});

describe('penstock decide without a server', () => {
  it('says where an answer would be heard, with exit code 3', async () => {
    const { code, stderr } = await runPenstock(['decide'], { env: { PENSTOCK_URL: 'http://127.0.0.1:9' } });
    expect(code).toBe(3);
    expect(stderr).toContain("start it with 'penstock up'");
  });
});
