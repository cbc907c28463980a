import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiStandIn, startApiStandIn } from '../../support/api-stand-in.ts';
import { type PenstockOptions, runPenstock } from '../../support/run-penstock.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';
import { cancelledRun, failedRun, finishedRun, unapprovedRun, waitingRun } from './some-runs.ts';

let api: ApiStandIn;
let sample: SampleRepository;

beforeEach(async () => {
  api = await startApiStandIn([finishedRun()]);
  sample = createSampleRepository({ 'README.md': 'hello\n', 'src/deep/a.js': '' });
});

afterEach(async () => {
  sample.remove();
  await api.stop();
});

function penstock(args: string[], options: PenstockOptions = {}) {
  return runPenstock(args, {
    cwd: sample.folder,
    ...options,
    env: { PENSTOCK_URL: api.url, ...options.env },
  });
}

const submissions = () => api.calls.filter(({ path }) => path === '/api/requirements');

describe('penstock submit', () => {
  it('sends the top of the checkout, the words and what was chosen, under an Idempotency-Key', async () => {
    const args = [
      '--repo',
      'src/deep',
      '--base',
      'dev',
      '--budget',
      '1.5',
      '--driver',
      'conditional',
      '--flag',
      'needs_mobile',
      '--flag',
      'has_ai_features',
      '--priority',
      '2',
      'todos',
      'need a priority',
    ];
    const { code } = await penstock(['submit', ...args]);
    expect(code).toBe(0);
    const [{ body, headers }] = submissions() as [ReturnType<typeof submissions>[number]];
    const repository = realpathSync(sample.folder);
    expect(body).toEqual({
      requirement: 'todos need a priority',
      repository,
      baseRef: 'dev',
      budgetUsd: 1.5,
      priority: 2,
      driver: 'conditional',
      flags: { needs_mobile: true, has_ai_features: true },
      dryRun: false,
    });
    expect(headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('follows the run and ends with branch, cost and commands, in plain lines', async () => {
    const { code, stdout, stderr } = await penstock(['submit', 'x']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      ' 0.0s  accepted    cli, local                          → run 7f3a',
      ' 0.9s  plan        3 tasks, 2 in parallel, est. $0.41 of $2.00   (read 14 files)',
      '                   design → api ∥ storage',
      ' 3.0s  design      project_architect   function   The specification',
      ' 5.0s  api         backend_developer   job        +38 −4     tests 12 ok',
      ' 5.5s  storage     attempt 1 failed: lost: its worker is gone; it is tried again',
      ' 6.3s  storage     backend_developer   job        +21 −2     tests 11 ok, 1 failing → fixed → 12 ok (attempt 2)',
      '13.2s  integrate   2 change sets on base 1c9e2ab, checks after each: ok',
      '14.0s  review      code_reviewer       approved, 1 remark',
      '14.6s  branch      penstock/7f3a   5 files +59 −6',
      '',
      'cost $0.31 of $2.00 · 24 model calls · 6000 tokens in, 700 out · scripted model: tokens and cost are simulated',
      '',
      'See for yourself:',
      '  git -C /home/dana/todo diff main...penstock/7f3a',
      '  npx penstock show 7f3a',
      '  npx penstock logs 7f3a storage',
      '',
    ]);
  });

  it('prints the run as the API answers it, and nothing else, with --json', async () => {
    const { stdout } = await penstock(['submit', '--json', 'x']);
    expect(JSON.parse(stdout)).toEqual(api.runs[0]?.run);
    expect(stdout.trim().split('\n')).toHaveLength(1);
  });

  it('returns at once with --no-wait', async () => {
    const { code, stdout } = await penstock(['submit', '--no-wait', '--json', 'x']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ runId: '7f3a', duplicate: false });
    expect(api.calls.some(({ path }) => path.endsWith('/events'))).toBe(false);
  });

  it('sends a plan from a YAML file', async () => {
    const plan = join(sample.folder, 'plan.yaml');
    writeFileSync(plan, 'tasks:\n  - id: one\n    agent: backend_developer\n    instructions: do it\n');
    await penstock(['submit', '--plan', plan, '--no-repo', '--no-wait', 'x']);
    const tasks = [{ id: 'one', agent: 'backend_developer', instructions: 'do it' }];
    expect(submissions()[0]?.body).toEqual({ requirement: 'x', dryRun: false, plan: { tasks } });
  });

  it('keeps owner/name as it is', async () => {
    await penstock(['submit', '--repo', 'acme/todo', '--no-wait', 'x']);
    expect(submissions()[0]?.body).toMatchObject({ repository: 'acme/todo' });
  });

  it('tries again under the same key while the server has no time', async () => {
    api.failNext(new PenstockError('unavailable', 'not now', { retry: 'later' }), 2);
    const { code } = await penstock(['submit', '--no-wait', 'x']);
    expect(code).toBe(0);
    const keys = submissions().map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it('sends PENSTOCK_TOKEN and never prints it', async () => {
    const { stdout, stderr } = await penstock(['submit', 'x'], { env: { PENSTOCK_TOKEN: 'a-secret-token' } });
    expect(submissions()[0]?.headers['authorization']).toBe('Bearer a-secret-token');
    expect(stdout + stderr).not.toContain('a-secret-token');
  });
});

describe('the exit code of penstock submit', () => {
  it.each([
    ['1 for a failed run', failedRun, 1, 'failed      checks_red: task api failed'],
    ['1 for a cancelled run', cancelledRun, 1, 'cancelled   cancelled: cancelled by local'],
    [
      '4 for a run that would have needed approval',
      unapprovedRun,
      4,
      'approval_required: the plan of 30 tasks',
    ],
    [
      '4 for a run that waits for approval',
      waitingRun,
      4,
      'decision    the plan of run 7f3a waits for approval',
    ],
  ])('is %s', async (_name, run, expected, text) => {
    api.runs[0] = run();
    const { code, stdout } = await penstock(['submit', 'x']);
    expect(code).toBe(expected);
    expect(stdout).toContain(text);
  });

  it('is 3 when nothing answers, and says what to do in one line', async () => {
    const { code, stderr } = await penstock(['submit', 'x'], { env: { PENSTOCK_URL: 'http://127.0.0.1:9' } });
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^penstock: nothing answers at http:\/\/127\.0\.0\.1:9 \(.*\); start it with 'penstock up', or set PENSTOCK_URL or --url to where it runs\n$/,
    );
  });

  it('is 2 for what the platform refuses, with every reason below', async () => {
    api.failNext(
      new PenstockError('invalid', 'the plan cannot be executed', {
        reasons: ['a: unknown agent', 'b: cycle'],
      }),
    );
    const { code, stderr } = await penstock(['submit', 'x']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'penstock: the plan cannot be executed\n  - a: unknown agent\n  - b: cycle\n',
    });
  });

  it('is 2 for a budget of 0, which the platform names by its field', async () => {
    const { code, stderr } = await penstock(['submit', '--budget', '0', 'x']);
    expect(code).toBe(2);
    expect(stderr).toContain('  - budgetUsd: a budget of 0 could not pay for anything');
  });

  it.each([
    [['--budget', 'much', 'x'], "--budget is 'much' and takes an amount of US dollars"],
    [['--priority', 'urgent', 'x'], "--priority is 'urgent' and takes critical, high, normal, low"],
    [['--repo', 'nowhere', 'x'], "--repo is 'nowhere': there is no such folder"],
    [['--plan', 'none.json', 'x'], "--plan is 'none.json', which cannot be read"],
    [['--model', 'anthropic', 'x'], 'has a model of its own; leave out --model'],
    [['--colour', 'x'], "unknown option '--colour'; see 'penstock submit --help'"],
    [[], "missing required argument 'requirement'"],
  ])('is 2 for %j', async (args, text) => {
    const { code, stderr, stdout } = await penstock(['submit', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(submissions()).toEqual([]);
  });

  it('is 2 for a folder that is no checkout', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-plain-'));
    mkdirSync(join(folder, 'sub'));
    try {
      const { code, stderr } = await penstock(['submit', '--repo', 'sub', 'x'], { cwd: folder });
      expect(code).toBe(2);
      expect(stderr).toContain('is not in a git checkout; give --repo PATH or --repo owner/name');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is 130 after Ctrl-C, while the run goes on', async () => {
    const running = finishedRun();
    api.runs[0] = {
      ...running,
      run: { ...running.run, stage: 'executing' },
      events: running.events.slice(0, 4),
    };
    const { code, stderr } = await penstock(['submit', 'x'], {
      onOutput: (stdout, kill) => stdout.includes('design ') && kill('SIGINT'),
    });
    expect(code).toBe(130);
    expect(stderr).toContain("run 7f3a goes on; 'npx penstock watch 7f3a' follows it again");
  });
});

describe('penstock submit without a server and without a key', () => {
  it('says in one message which variable, the demo, and --model', async () => {
    const { code, stderr, stdout } = await runPenstock(['submit', '--model', 'anthropic', 'x'], {
      cwd: sample.folder,
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/ANTHROPIC_API_KEY.*npm start.*--model script:FILE/);
  });
});

describe('penstock plan', () => {
  it('submits a dry run and prints tasks, agents, dependencies, estimate and what was read', async () => {
    const { code, stdout } = await penstock(['plan', 'x', '--repo', '.']);
    expect(code).toBe(0);
    expect(submissions()[0]?.body).toMatchObject({ dryRun: true });
    expect(stdout).toContain(
      '3 tasks, 2 in parallel, est. $0.41 of $2.00   (read 14 files)\ndesign → api ∥ storage\n',
    );
    expect(stdout).toMatch(/^ {2}api +backend_developer +after design$/m);
    expect(stdout).toContain('- npm test passes');
  });

  it('prints run and plan as the API answers them with --json', async () => {
    const { stdout } = await penstock(['plan', '--json', 'x']);
    expect(JSON.parse(stdout)).toEqual({ run: api.runs[0]?.run, plan: api.runs[0]?.plan });
  });
});
