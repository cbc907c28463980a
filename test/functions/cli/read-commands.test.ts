import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiStandIn, startApiStandIn } from '../../support/api-stand-in.ts';
import { type PenstockOptions, runPenstock } from '../../support/run-penstock.ts';
import { failedRun, finishedRun } from './some-runs.ts';

let api: ApiStandIn;

beforeEach(async () => {
  const pullRequest = { number: 2, url: 'https://github.test/acme/todo/pull/2', ready: true };
  api = await startApiStandIn([
    finishedRun('7f3a', { repository: 'acme/todo', pullRequest }),
    finishedRun('7f99zzzz'),
    finishedRun('b2c4d5e6'),
  ]);
});

afterEach(() => api.stop());

function penstock(args: string[], options: PenstockOptions = {}) {
  return runPenstock(args, { ...options, env: { PENSTOCK_URL: api.url, ...options.env } });
}

describe('penstock runs', () => {
  it('lists one run a line, and the API’s own answer with --json', async () => {
    const [text, json] = await Promise.all([
      penstock(['runs']),
      penstock(['runs', '--json', '--limit', '2']),
    ]);
    expect(text.code).toBe(0);
    expect(text.stdout.split('\n')[0]).toBe(
      '7f3a              2026-11-20 10:00  succeeded         Todos need a priority   PR #2',
    );
    expect(JSON.parse(json.stdout)).toEqual({ items: [api.runs[0]?.run, api.runs[1]?.run], next: '2' });
  });

  it('refuses a limit that no list has', async () => {
    const { code, stderr } = await penstock(['runs', '--limit', '1000']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "penstock: --limit is '1000' and takes a number from 1 to 200\n",
    });
  });
});

describe('penstock show of a run that waits for CI', () => {
  it('says on which commit, since when, and for what', async () => {
    const ci = {
      head: '9f'.repeat(20),
      state: 'pending' as const,
      since: '2026-11-20T10:03:00.000Z',
      checks: ['test'],
    };
    await api.stop();
    api = await startApiStandIn([finishedRun('7f3a', { stage: 'awaiting_review', ci })]);
    expect((await penstock(['show', '7f3a'])).stdout).toContain(
      '  CI           Waits for CI on commit 9f9f9f9 since 2026-11-20 10:03 UTC: test.\n',
    );
  });
});

describe('a run id on the command line', () => {
  it('may be its unique start, also of a run on a later page', async () => {
    const { code, stdout } = await penstock(['open', 'b2']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${api.url}/runs/b2c4d5e6\n` });
  });

  it('is refused when several runs begin so, and names them', async () => {
    const { code, stderr } = await penstock(['show', '7f']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'penstock: more than one run begins with 7f; give more of its id\n  - 7f3a\n  - 7f99zzzz\n',
    );
  });

  it('means the run of just this id where another begins with it', async () => {
    api.runs.push(finishedRun('7f3abcde'));
    const { stdout } = await penstock(['open', '--json', '7f3a']);
    expect(JSON.parse(stdout)).toEqual({ url: `${api.url}/runs/7f3a` });
  });

  it('is refused when there is none, and when it could not be one', async () => {
    const [unknown, odd] = await Promise.all([penstock(['show', 'ffff']), penstock(['show', '../etc'])]);
    expect(unknown).toMatchObject({
      code: 2,
      stderr: `penstock: no run begins with ffff at ${api.url}; 'penstock runs' lists the runs there are\n`,
    });
    expect(odd).toMatchObject({
      code: 2,
      stderr: "penstock: '../etc' is not a run id; 'penstock runs' lists them\n",
    });
  });
});

describe('penstock show', () => {
  it('shows plan, tasks, attempts, checks, review and cost', async () => {
    const { code, stdout } = await penstock(['show', '7f3a']);
    expect(code).toBe(0);
    for (const text of [
      'run 7f3a   succeeded   Todos need a priority',
      'pull request #2 ready   https://github.test/acme/todo/pull/2',
      'branch       penstock/7f3a at 9f9f9f9   5 files +59 −6',
      'design → api ∥ storage',
      'attempt 1 lost, 2.0s, claude-sonnet-5-5, 3 model calls $0.05: lost: its worker is gone',
      'check `npm test` ok: 12 passed',
      'approved: good',
      '- a.js: a name',
      'cost $0.31 of $2.00 · 24 model calls',
      'scripted model: tokens and cost are simulated',
    ]) {
      expect(stdout).toContain(text);
    }
  });

  it('says why a run failed', async () => {
    api.runs[0] = failedRun();
    const { code, stdout } = await penstock(['show', '7f3a']);
    expect(code).toBe(0);
    expect(stdout).toContain('reason       checks_red: task api failed after 3 attempts: 1 test is red');
  });

  it('gives the API’s answers with --json', async () => {
    const { stdout } = await penstock(['show', '--json', '7f3a']);
    const { run, plan, tasks, cost } = api.runs[0] ?? finishedRun();
    expect(JSON.parse(stdout)).toEqual({ run, plan, tasks, cost });
  });
});

describe('penstock watch', () => {
  it('goes on behind the last event when the connection breaks, and tells everything once', async () => {
    const whole = await penstock(['watch', '7f3a']);
    api.calls.length = 0;
    api.cutEventsAfter(5);
    const broken = await penstock(['watch', '7f3a']);
    expect(broken).toEqual(whole);
    expect(whole.stdout).toContain('14.6s  PR #2       ready               5 files +59 −6');
    const resumed = api.calls
      .filter(({ path }) => path.endsWith('/events'))
      .map(({ headers }) => headers['last-event-id']);
    expect(resumed).toEqual([undefined, '5', '10']);
  });

  it('prints the events as they are with --json', async () => {
    const { stdout } = await penstock(['watch', '--json', '7f3a']);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(events).toEqual(api.runs[0]?.events);
  });

  it('ends with 1 for a failed run', async () => {
    api.runs[0] = failedRun();
    const { code, stdout } = await penstock(['watch', '7f3a']);
    expect(code).toBe(1);
    expect(stdout).toContain('4.0s  api         backend_developer   job        failed');
  });

  it('has no colours without a terminal, whatever TERM says', async () => {
    const { stdout, stderr } = await penstock(['watch', '7f3a'], {
      env: { TERM: 'xterm-256color', FORCE_COLOR: '1' },
    });
    expect(stdout + stderr).not.toContain('\u001b');
  });
});

describe('penstock logs', () => {
  it('shows the newest attempt: what the agent said and ran', async () => {
    const { code, stdout } = await penstock(['logs', '7f3a', 'storage']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /agent {2}I add a field\.\n.*ran {4}run_tests \{\} → failed: failed: 11 passed, 1 failed \(900 ms\)\n/,
    );
    expect(stdout).not.toContain('the first attempt');
  });

  it('shows another attempt when asked, and the lines as stored with --json', async () => {
    const { stdout } = await penstock(['logs', '7f3a', 'storage', '--attempt', '1', '--json']);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(api.runs[0]?.transcripts?.['storage/1']);
  });

  it('names what there is when the task or attempt is wrong', async () => {
    const [task, attempt] = await Promise.all([
      penstock(['logs', '7f3a', 'nope']),
      penstock(['logs', '7f3a', 'storage', '--attempt', '7']),
    ]);
    expect(task).toMatchObject({
      code: 2,
      stderr:
        "penstock: run 7f3a has no task 'nope'; its tasks: plan, design, api, storage, integrate-1, review\n",
    });
    expect(attempt).toMatchObject({
      code: 2,
      stderr: "penstock: task storage has no attempt '7'; it has 1, 2\n",
    });
  });
});

describe('penstock cancel', () => {
  it('asks for it with an Idempotency-Key and says where the run stands', async () => {
    const { code, stdout } = await penstock(['cancel', '7f3a']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "run 7f3a is cancelling; 'npx penstock watch 7f3a' shows when it has stopped\n",
    });
    const call = api.calls.find(({ method }) => method === 'POST');
    expect(call?.path).toBe('/api/runs/7f3a/cancel');
    expect(call?.headers['idempotency-key']).toBeDefined();
  });

  it('passes on why not', async () => {
    api.failNext(new PenstockError('forbidden', 'you may not'), 1);
    expect(await penstock(['cancel', '7f3a'])).toMatchObject({ code: 2, stderr: 'penstock: you may not\n' });
  });
});

describe('a server that is not Penstock', () => {
  it('is told by its answer, not believed', async () => {
    const other = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hello</h1>'),
    );
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
      const { code, stderr } = await penstock(['runs', '--url', url]);
      expect(code).toBe(3);
      expect(stderr).toMatch(
        /^penstock: the answer to \/api\/runs\?limit=50 is not what this version of penstock reads/,
      );
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });
});
