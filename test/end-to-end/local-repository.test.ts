import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reviews, scriptOf, turn, writes } from '../support/scripts/turns.ts';
import { gitIn, submit, taskOf } from '../support/scripts/integration-bench.ts';
import { type ScriptServer, startScriptServer } from '../../shared/adapters/script/script-server.ts';
import type { Script } from '../../shared/adapters/script/script-file.ts';
import { refs } from '../../shared/core/refs.ts';
import { inProcess, type Platform, startPlatform, TENANT } from '../support/platform.ts';
import { createSampleRepository, type SampleRepository } from '../support/sample-repository.ts';

const describeHere = inProcess(describe, 'repositories on this machine');

/** Several jobs one after the other, on a busy machine. */
jest.setTimeout(300_000);

let checkout: SampleRepository;
let platform: Platform;
let model: ScriptServer;
afterEach(async () => {
  await platform.stop();
  await model.stop();
  checkout.remove();
});

async function start(files: Record<string, string>, script: Script): Promise<void> {
  checkout = createSampleRepository(files);
  model = await startScriptServer({ script });
  platform = await startPlatform({ model: { provider: 'script', baseUrl: model.url, apiKey: 'scripted' } });
}

const git = (...args: string[]) => gitIn(checkout.folder, ...args);
const oneTask = { tasks: [{ id: 'work', agent: 'backend_developer', instructions: 'Change it' }] };
const change = (files: Record<string, string>, inDiff: string) =>
  scriptOf(writes('backend_developer', 'work', files), reviews('review', 'approve', [inDiff]));

/** Everything of a checkout that is its owner's, byte for byte. */
function owned(): Record<string, string> {
  const raw = (...args: string[]) => execFileSync('git', args, { cwd: checkout.folder, encoding: 'utf8' });
  return {
    index: readFileSync(join(checkout.folder, '.git/index')).toString('base64'),
    head: readFileSync(join(checkout.folder, '.git/HEAD'), 'utf8'),
    config: readFileSync(join(checkout.folder, '.git/config'), 'utf8'),
    status: raw('status', '--porcelain=v2', '--branch', '--show-stash', '--untracked-files=all', '--ignored'),
    diff: raw('diff', 'HEAD'),
    main: raw('rev-parse', 'main'),
    stash: raw('stash', 'list', '--format=%H %s'),
    untracked: readFileSync(join(checkout.folder, 'draft.txt'), 'utf8'),
  };
}

/** Staged, changed, untracked, ignored and stashed work of the checkout's owner. */
function leaveWorkLyingAround(): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(checkout.folder, path)), { recursive: true });
    writeFileSync(join(checkout.folder, path), text);
  };
  write('README.md', 'stashed\n');
  git('stash', 'push', '--quiet', '-m', 'for later');
  write('staged.txt', 'staged\n');
  git('add', 'staged.txt');
  write('README.md', 'not committed\n');
  write('draft.txt', 'untracked\n');
  write('out/build.txt', 'ignored\n');
}

describeHere('a checkout with work that is not committed', () => {
  const files = { 'README.md': 'hello\n', '.gitignore': 'out/\n', 'src/deep/a.txt': 'a\n' };

  it.each([
    { from: 'its top', path: '' },
    { from: 'a folder below', path: 'src/deep' },
  ])(
    'named by $from gets a branch, is left as it was, and is not called green without tests',
    async ({ path }) => {
      await start(files, change({ 'NOTES.md': 'noted\n' }, '+noted'));
      leaveWorkLyingAround();
      const before = owned();
      const run = await submit(platform, { repository: join(checkout.folder, path), ...oneTask });
      expect(await platform.ended(run)).toMatchObject({
        stage: 'succeeded',
        targets: [{ host: 'local-git', headBranch: `penstock/${run}` }],
      });
      expect(owned()).toEqual(before);

      const branch = `penstock/${run}`;
      expect(git('for-each-ref', '--format=%(refname:short)', 'refs/heads/')).toBe(`main\n${branch}`);
      expect(git('rev-parse', `${branch}^`)).toBe(checkout.baseSha);
      expect(git('diff', '--name-only', 'main', branch)).toBe('NOTES.md');
      expect(git('show', `${branch}:README.md`)).toBe('hello');
      expect(git('log', '-1', '--format=%B', branch)).toContain(
        'not checked: none: the repository has no test command',
      );
      expect(git('log', '-1', '--format=%B', branch)).not.toContain('passed');
    },
  );
});

const TEST_JS =
  "import { test } from 'node:test';\nimport assert from 'node:assert';\ntest('counts', () => assert.equal(1 + 1, 2));\n";

describeHere('how a repository is tested', () => {
  it.each([
    {
      by: 'the test target of its Makefile',
      command: 'make test',
      files: { Makefile: 'test:\n\tgrep -q hello greeting.txt\n', 'greeting.txt': 'hello\n' },
    },
    {
      by: 'the test script of its package.json',
      command: 'npm test',
      files: {
        'package.json': '{ "type": "module", "scripts": { "test": "node --test" } }\n',
        'count.test.js': TEST_JS,
      },
    },
  ])('is found in $by, and run on the change', async ({ command, files }) => {
    await start(files, change({ 'NOTES.md': 'noted\n' }, `\`${command}\` passed`));
    const run = await submit(platform, { repository: checkout.folder, ...oneTask });
    const ended = await platform.ended(run);
    expect(ended.reason).toBeUndefined();
    expect(ended.contract?.commands).toEqual({ test: [command] });
    expect((await taskOf(platform, run, 'integrate-1')).result?.checks).toMatchObject([
      { command, passed: true, exitCode: 0 },
    ]);
    expect(git('log', '-1', '--format=%B', `penstock/${run}`)).toContain(`- \`${command}\` passed`);
  });

  pytest()('is found in a test that pytest finds, and run on the change', async () => {
    const command = 'python3 -m pytest';
    await start(
      { 'test_count.py': 'def test_counts():\n    assert 1 + 1 == 2\n' },
      change({ 'NOTES.md': 'noted\n' }, `\`${command}\` passed`),
    );
    const run = await submit(platform, { repository: checkout.folder, ...oneTask });
    expect(await platform.ended(run)).toMatchObject({ stage: 'succeeded' });
    expect((await taskOf(platform, run, 'integrate-1')).result?.checks).toMatchObject([
      { command, passed: true, summary: '1 passed' },
    ]);
  });

  it('is not guessed from a contract that is wrong: the run fails and says where', async () => {
    await start(
      { '.github/penstock.yml': 'setup: npm ci\ntests: node --test\n' },
      change({ 'NOTES.md': 'noted\n' }, '+noted'),
    );
    const run = await submit(platform, { repository: checkout.folder, ...oneTask });
    const ended = await platform.ended(run);
    expect(ended).toMatchObject({ stage: 'failed', reason: { code: 'invalid_contract' } });
    expect(ended.reason?.message).toContain('.github/penstock.yml:2:1: tests is not a setting');
    expect(model.calls()).toEqual([]);
    expect(git('branch', '--list', 'penstock/*')).toBe('');
  });
});

/** Commands see the system's programs only, and nothing of a home folder: pytest has to be installed for all users. */
function pytest(): typeof it | typeof it.skip {
  try {
    execFileSync(
      '/usr/bin/env',
      ['-i', 'PATH=/usr/local/bin:/usr/bin:/bin', 'python3', '-m', 'pytest', '--version'],
      { stdio: 'ignore', timeout: 10_000 },
    );
    return it;
  } catch {
    process.stderr.write(
      'skipped: pytest (python3 -m pytest does not run with the programs that a sandbox has)\n',
    );
    return it.skip;
  }
}

describeHere('the budget of a run whose tenant does not want to be asked for more', () => {
  const askNobody = () => platform.ports.store.create(refs.settings(TENANT), { v: 1, onBudget: 'fail' });

  it('that pays for nothing ends it before the first model call', async () => {
    await start({ 'README.md': 'hello\n' }, change({ 'NOTES.md': 'noted\n' }, '+noted'));
    await askNobody();
    const run = await submit(platform, { repository: checkout.folder, ...oneTask, budgetUsd: 0.000001 });
    const ended = await platform.ended(run);
    expect(ended).toMatchObject({ stage: 'failed', reason: { code: 'budget' } });
    expect(ended.reason?.message).toMatch(/task work failed.*\$0\.0000 of its allotment left/);
    expect(model.calls()).toEqual([]);
    expect((await taskOf(platform, run, 'work')).attempts).toMatchObject([
      { meter: { spentMicroUsd: 0, reservedMicroUsd: 0, calls: 0 } },
    ]);
  });

  it('that runs out under way ends the task with what it has spent', async () => {
    // 50,000 tokens of output at $10 per million are half a dollar of the $0.60 that the task may spend.
    const usage = { input: 0, output: 50_000, cacheRead: 0, cacheWrite: 0 };
    const look = turn(
      'backend_developer',
      { task: 'work', assistantTurns: 0 },
      { tool_uses: [{ name: 'list_files', input: {} }] },
      usage,
    );
    await start({ 'README.md': 'hello\n' }, scriptOf([look]));
    await askNobody();
    const run = await submit(platform, { repository: checkout.folder, ...oneTask, budgetUsd: 1 });
    const ended = await platform.ended(run);
    expect(ended).toMatchObject({ stage: 'failed', reason: { code: 'budget' } });
    expect(ended.reason?.message).toMatch(
      /\$0\.1000 of its allotment left and the next call may cost \$0\.\d+/,
    );
    const work = await taskOf(platform, run, 'work');
    expect(work.attempts).toMatchObject([
      { exit: { code: 'budget' }, meter: { spentMicroUsd: 500_000, reservedMicroUsd: 0, calls: 1 } },
    ]);
    expect(model.calls()).toHaveLength(1);
    const cost: unknown = await (await fetch(`${platform.url}/api/runs/${run}/cost`)).json();
    expect(cost).toMatchObject({ budgetMicroUsd: 1_000_000, spentMicroUsd: 500_000, reservedMicroUsd: 0 });
    expect(git('branch', '--list', 'penstock/*')).toBe('');
  });
});
