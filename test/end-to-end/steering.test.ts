import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inProcess, type Platform, startPlatform } from '../support/platform.ts';
import { runPenstock } from '../support/run-penstock.ts';

const describeHere = inProcess(describe, 'an attempt that the test plays itself');

const PLAN = [
  { id: 'api', agent: 'project_architect', instructions: 'Say how.' },
  { id: 'docs', agent: 'technical_writer', instructions: 'Describe it.', dependencies: ['api'] },
];

describeHere('Words to a run whose agents are at work', () => {
  let platform: Platform;
  let run: string;
  let finish: () => void;
  let begun: Promise<void>;
  const heard: string[][] = [];
  beforeEach(async () => {
    const over = new AbortController();
    let begin: () => void = () => undefined;
    finish = () => over.abort();
    begun = new Promise((resolve) => (begin = resolve));
    heard.length = 0;
    platform = await startPlatform({
      // Renews without a pause, and finishes when the test says so.
      async work(open) {
        const { attempt } = await open();
        const said = (attempt.brief.messages ?? []).map(({ text }) => text);
        begin();
        do {
          said.push(...(await attempt.renew()).messages.map(({ text }) => text));
          await new Promise((resolve) => setTimeout(resolve, 10));
        } while (!over.signal.aborted);
        heard.push(said);
        return { outcome: 'succeeded', summary: 'done' };
      },
    });
    const body = { requirement: 'A login.', plan: { tasks: PLAN } };
    run = String((await platform.post('/api/requirements', body)).body['runId']);
    await begun;
  });
  afterEach(async () => {
    finish();
    await platform.stop();
  });

  it('reach the attempt that runs and the one that comes later, each once', async () => {
    const first = await platform.post(`/api/runs/${run}/messages`, { text: 'Use OAuth.' });
    expect(first).toMatchObject({
      status: 202,
      body: { run, seq: 1, text: 'Use OAuth.', interrupts: false, by: expect.any(String) },
    });
    const key = { 'idempotency-key': 'words-1' };
    for (let times = 0; times < 2; times += 1) {
      const again = await platform.post(`/api/runs/${run}/messages`, { text: 'And PKCE.' }, key);
      expect(again).toMatchObject({ status: 202, body: { seq: 2 } });
    }
    const said = await runPenstock(['message', run, 'No', 'passwords.', '--url', platform.url]);
    expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining(`message 3 to run ${run}`) });
    finish();
    await platform.ended(run);
    const all = ['Use OAuth.', 'And PKCE.', 'No passwords.'];
    expect(heard).toEqual([all, all]);
    const [attempt] = (await platform.tasks(run))[0]?.attempts ?? [];
    expect(attempt?.steeredTo).toBe(3);
  });

  it('are refused in another shape, of another run, and when the run is over', async () => {
    const say = (id: string, body: unknown) => platform.post(`/api/runs/${id}/messages`, body);
    expect((await say(run, { text: '' })).status).toBe(400);
    expect((await say(run, { text: 'x'.repeat(2_001) })).status).toBe(400);
    expect((await say(run, { text: 'Use OAuth.', more: 1 })).status).toBe(400);
    expect((await say('nothere1', { text: 'Use OAuth.' })).status).toBe(404);
    finish();
    await platform.ended(run);
    const late = await say(run, { text: 'Use OAuth.' });
    expect(late).toMatchObject({ status: 409, body: { detail: expect.stringContaining('succeeded') } });
  });
});
