import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { contract, GREETING } from '../support/scripts/greeting.ts';
import { plans, scriptOf, turn, writes } from '../support/scripts/turns.ts';
import {
  type IntegrationBench,
  NOTHING,
  startIntegrationBench,
  until,
} from '../support/scripts/integration-bench.ts';
import { patience } from '../support/platform.ts';

/** Of several jobs one after the other, on a busy machine. */
jest.setTimeout(patience(300_000));

let bench: IntegrationBench;
afterEach(() => bench.stop());

describe('a change that only a person may make', () => {
  const token = `ghp_${'A1b2C3d4E5f6'.repeat(3)}`;
  const work = (path: string, content: string) => ({ path, content });
  it.each([
    {
      what: 'a workflow',
      code: 'risky_change',
      names: '.github/workflows/x.yml',
      ...work('.github/workflows/x.yml', 'on: push\n'),
    },
    {
      what: 'a script of package.json',
      code: 'risky_change',
      names: 'package.json',
      ...work('package.json', '{ "type": "module", "scripts": { "postinstall": "node x.js" } }\n'),
    },
    {
      what: 'a secret',
      code: 'secret_found',
      names: 'config.js:1',
      ...work('config.js', `export const token = '${token}';\n`),
    },
  ])(
    'such as $what ends the run as $code, with nothing on GitHub',
    async ({ code, names, path, content }) => {
      bench = await startIntegrationBench({
        files: GREETING,
        script: scriptOf(writes('backend_developer', 'work', { [path]: content })),
      });
      const run = await bench.submit([{ id: 'work', agent: 'backend_developer', instructions: 'Change it' }]);
      const ended = await bench.platform.ended(run);
      expect(ended).toMatchObject({ stage: 'failed', reason: { code } });
      expect(ended.reason?.message).toContain(names);
      expect(ended.reason?.message).not.toContain(token);
      expect(await bench.written()).toEqual(NOTHING);
    },
  );
});

/** Processes of the machine in whose arguments or environment a text stands. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && ['cmdline', 'environ'].some((file) => read(pid, file).includes(text)),
  );
}

/** Empty for a process that has just ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Of a lease of three minutes. */
const WITHIN_MS = 60_000;
/** Found among the machine's processes: no other test sleeps as long. */
const seconds = `${3_000 + (process.pid % 1_000)}.125`;
const wait = `sleep ${seconds} & sleep ${seconds}`;

describe('a run that is cancelled', () => {
  it.each([
    {
      during: 'a command of an agent',
      task: 'a',
      files: GREETING,
      turns: [
        turn(
          'backend_developer',
          { task: 'a', assistantTurns: 0 },
          { tool_uses: [{ name: 'shell', input: { command: wait } }] },
        ),
      ],
    },
    {
      during: 'the tests of its integration',
      task: 'integrate-1',
      files: {
        ...GREETING,
        ...contract('sh test.sh'),
        'test.sh': `if test -e a.txt && test -e b.txt; then ${wait}; fi\n`,
      },
      turns: writes('backend_developer', 'a', { 'a.txt': 'a\n' }),
    },
  ])(
    'during $during leaves no process behind, ends once, and its comment says so',
    async ({ task, files, turns }) => {
      const both = ['a', 'b'].map((id) => ({ id, agent: 'backend_developer', instructions: `Write ${id}` }));
      bench = await startIntegrationBench({
        files,
        env: { PENSTOCK_RENEW_SECONDS: '1', PENSTOCK_LEASE_SECONDS: '180' },
        script: scriptOf(plans(...both), turns, writes('backend_developer', 'b', { 'b.txt': 'b\n' })),
      });
      const { issue, runId } = await bench.openIssue('Wait for nothing');
      const ofJob = `PENSTOCK_ATTEMPT=local/${runId}/${task}/1`;
      await until('both commands run', () => processesWith(seconds).length >= 2);
      await until('the other task is done', async () => (await bench.task(runId, 'b')).settled);
      expect(processesWith(ofJob)).toHaveLength(1);

      expect((await bench.platform.post(`/api/runs/${runId}/cancel`, {})).status).toBe(202);
      const left = () => processesWith(seconds).length + processesWith(ofJob).length;
      await until('the processes are gone', () => left() === 0, WITHIN_MS);
      // Long before the lease of the attempt would have ended.
      const ended = await bench.platform.ended(runId, WITHIN_MS);
      expect(ended).toMatchObject({ stage: 'cancelled', reason: { code: 'cancelled' } });
      expect(await bench.task(runId, task)).toMatchObject({
        state: 'cancelled',
        attempts: [{ exit: { outcome: 'cancelled' } }],
      });
      expect(
        ended.history.filter(({ state }) => ['succeeded', 'failed', 'cancelled'].includes(state)),
      ).toHaveLength(1);
      await bench.platform.settled();
      expect(await bench.github.comments(bench.repository, issue)).toMatchObject([
        { body: expect.stringContaining('### Cancelled.') },
      ]);
      expect(Object.keys(await bench.github.branches(bench.repository))).toEqual(['main']);
    },
  );
});
