import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { contract, GREETING, greetingOf } from '../support/scripts/greeting.ts';
import { plans, reviews, rewrites, scriptOf, writes } from '../support/scripts/turns.ts';
import {
  gitIn,
  type IntegrationBench,
  NOTHING,
  startIntegrationBench,
  testsAt,
} from '../support/scripts/integration-bench.ts';
import { inProcess, patience } from '../support/platform.ts';

const itHere = inProcess(it, 'a push between a commit and its review');

/** Of many jobs one after the other, on a busy machine. */
jest.setTimeout(patience(300_000));

let bench: IntegrationBench;
afterEach(() => bench.stop());

describe('two change sets that collide', () => {
  it('are put together by the owner of the second, who sees what collided and the work of the first', async () => {
    bench = await startIntegrationBench({
      files: GREETING,
      script: scriptOf(
        writes('backend_developer', 'audience', greetingOf('hello, world')),
        writes('technical_writer', 'mood', greetingOf('a warm hello')),
        rewrites('technical_writer', 'fix-1', {
          told: ['<<<<<<<', 'hello, world', 'a warm hello', 'greeting.js', 'Say it warmly'],
          reads: 'greeting.js',
          found: 'hello, world',
          files: greetingOf('a warm hello, world'),
        }),
        reviews('review-2', 'approve', ["+export const greeting = 'a warm hello, world';"]),
      ),
    });
    const run = await bench.submit([
      { id: 'audience', agent: 'backend_developer', instructions: 'Greet the world' },
      { id: 'mood', agent: 'technical_writer', instructions: 'Say it warmly' },
    ]);
    const ended = await bench.platform.ended(run);
    expect(ended).toMatchObject({
      stage: 'succeeded',
      fixRounds: 1,
      integrations: 2,
      changeOrder: ['audience', 'fix-1'],
    });

    const [audience, mood, first, fix] = await Promise.all(
      ['audience', 'mood', 'integrate-1', 'fix-1'].map((id) => bench.task(run, id)),
    );
    expect([audience, mood]).toMatchObject([{ dependencies: [] }, { dependencies: [] }]);
    expect(first?.attempts).toMatchObject([
      { exit: { code: 'conflict', task: 'mood', message: expect.stringContaining('<<<<<<<') } },
    ]);
    expect(fix).toMatchObject({
      agent: 'technical_writer',
      fixes: { task: 'mood', cause: 'conflict' },
      inputs: ['audience'],
    });

    const branch = bench.branchOf(run);
    expect(bench.git('rev-list', '--count', `main..${branch}`)).toBe('1');
    expect(bench.git('show', `${branch}:greeting.js`)).toBe(
      greetingOf('a warm hello, world')['greeting.js'].trimEnd(),
    );
    expect(bench.git('diff', '--name-only', 'main', branch)).toBe('greeting.js');
    expect(await testsAt(bench.github.gitDirectory(bench.repository), branch)).toBe(0);
    expect(await bench.github.pullRequests(bench.repository)).toMatchObject([
      { draft: false, commits: 1, head: { ref: branch } },
    ]);
  });

  it('end the run after three rounds, with nothing on GitHub', async () => {
    const words = ['one', 'two', 'three', 'four', 'five'];
    const soFar = (count: number) => `hello ${words.slice(0, count).join(' ')}`;
    bench = await startIntegrationBench({
      files: GREETING,
      script: scriptOf(
        ...words.map((word, n) => writes('backend_developer', `t${n + 1}`, greetingOf(`hello ${word}`))),
        ...[1, 2, 3].map((n) =>
          writes('backend_developer', `fix-${n}`, greetingOf(soFar(n + 1)), [soFar(n), `hello ${words[n]}`]),
        ),
      ),
    });
    const run = await bench.submit(
      words.map((word, n) => ({ id: `t${n + 1}`, agent: 'backend_developer', instructions: `Say ${word}` })),
    );
    const ended = await bench.platform.ended(run);
    expect(ended).toMatchObject({ stage: 'failed', fixRounds: 3, integrations: 4, heads: [] });
    expect(ended.reason).toMatchObject({
      code: 'not_integrated',
      message: expect.stringMatching(/after 3 rounds.*conflicts/),
    });
    expect((await bench.platform.tasks(run)).filter(({ kind }) => kind === 'fix')).toHaveLength(3);
    expect(await bench.written()).toEqual(NOTHING);
  });
});

const SUM = {
  ...contract('node --test'),
  'package.json': '{ "type": "module" }\n',
  'sum.js': 'export const add = (a, b) => a + b;\n',
  'sum.test.js':
    "import { test } from 'node:test';\nimport assert from 'node:assert';\nimport * as sums from './sum.js';\ntest('adds', () => assert.equal(Object.values(sums)[0](1, 2), 3));\n",
};
const RENAMED = { 'sum.js': 'export const plus = (a, b) => a + b;\n' };
const doubleWith = (name: string) => ({
  'twice.js': `import { ${name} } from './sum.js';\nexport const twice = (n) => ${name}(n, n);\n`,
});
const TWICE_TEST = {
  'twice.test.js':
    "import { test } from 'node:test';\nimport assert from 'node:assert';\nimport { twice } from './twice.js';\ntest('doubles', () => assert.equal(twice(4), 8));\n",
};
const SUM_TASKS = [
  { id: 'rename', agent: 'backend_developer', instructions: 'Call add plus from now on' },
  { id: 'twice', agent: 'qa_testing', instructions: 'Add a function that doubles' },
];

describe('change sets that merge cleanly but do not work together', () => {
  it('are mended after the one with which the checks turned red, by its owner', async () => {
    bench = await startIntegrationBench({
      files: SUM,
      script: scriptOf(
        writes('backend_developer', 'rename', RENAMED),
        writes('qa_testing', 'twice', { ...doubleWith('add'), ...TWICE_TEST }),
        rewrites('qa_testing', 'fix-1', {
          told: ["does not provide an export named 'add'", 'Add a function that doubles'],
          reads: 'sum.js',
          found: 'plus',
          files: doubleWith('plus'),
        }),
        reviews('review-2', 'approve', ['+export const twice = (n) => plus(n, n);']),
      ),
    });
    const run = await bench.submit(SUM_TASKS);
    const ended = await bench.platform.ended(run);
    expect(ended.reason).toBeUndefined();
    expect(ended).toMatchObject({
      stage: 'succeeded',
      fixRounds: 1,
      changeOrder: ['rename', 'twice', 'fix-1'],
    });
    const fix = await bench.task(run, 'fix-1');
    expect(fix).toMatchObject({
      agent: 'qa_testing',
      fixes: { task: 'twice', cause: 'checks_red' },
      inputs: ['rename', 'twice'],
    });
    expect(await testsAt(bench.github.gitDirectory(bench.repository), bench.branchOf(run))).toBe(0);
    expect(bench.git('rev-list', '--count', `main..${bench.branchOf(run)}`)).toBe('1');
  });

  it('end the run of an issue when three rounds leave them red, and the one comment says so', async () => {
    const useless = [1, 2, 3].map((n) =>
      writes('qa_testing', `fix-${n}`, { 'notes.txt': `try ${n}\n` }, ["export named 'add'"]),
    );
    bench = await startIntegrationBench({
      files: SUM,
      script: scriptOf(
        plans(...SUM_TASKS),
        writes('backend_developer', 'rename', RENAMED),
        writes('qa_testing', 'twice', { ...doubleWith('add'), ...TWICE_TEST }),
        ...useless,
      ),
    });
    const { issue, runId } = await bench.openIssue('Rename and double');
    const ended = await bench.platform.ended(runId);
    expect(ended).toMatchObject({ stage: 'failed', fixRounds: 3, reason: { code: 'not_integrated' } });
    await bench.platform.settled();
    const comments = await bench.github.comments(bench.repository, issue);
    expect(comments).toHaveLength(1);
    expect(comments[0]?.body).toMatch(
      /Failed: not integrated[\s\S]*after 3 rounds of fixing[\s\S]*node --test/,
    );
    expect(await bench.github.pullRequests(bench.repository)).toEqual([]);
    expect(Object.keys(await bench.github.branches(bench.repository))).toEqual(['main']);
  });
});

describe('a reviewer who asks for changes', () => {
  it('gets a second commit on the same branch; the pull request stays a draft until it approves', async () => {
    bench = await startIntegrationBench({
      files: GREETING,
      script: scriptOf(
        plans({ id: 'work', agent: 'backend_developer', instructions: 'Greet the world' }),
        writes('backend_developer', 'work', greetingOf('hello wrold')),
        reviews(
          'review',
          'request_changes',
          ['hello wrold'],
          [{ path: 'greeting.js', text: 'The world is misspelt.' }],
        ),
        rewrites('backend_developer', 'fix-1', {
          told: ['The world is misspelt.', 'It must not be merged like this.'],
          reads: 'greeting.js',
          found: 'hello wrold',
          files: greetingOf('hello world'),
        }),
        reviews('review-2', 'approve', ["+export const greeting = 'hello world';"]),
      ),
    });
    const { issue, runId } = await bench.openIssue('Greet the world');
    const ended = await bench.platform.ended(runId);
    expect(ended).toMatchObject({
      stage: 'succeeded',
      fixRounds: 1,
      integrations: 2,
      changeOrder: ['work', 'fix-1'],
    });
    await bench.platform.settled();

    const branch = bench.branchOf(runId);
    const [second, first, ...others] = bench.git('rev-list', `main..${branch}`).split('\n');
    expect({ heads: ended.heads, others }).toEqual({ heads: [first, second], others: [] });
    expect(bench.git('rev-parse', `${branch}^`)).toBe(first);
    expect(bench.git('show', `${branch}:greeting.js`)).toContain('hello world');

    const [pull, ...more] = await bench.github.pullRequests(bench.repository);
    expect(more).toEqual([]);
    expect(pull).toMatchObject({ draft: false, commits: 2, head: { sha: second } });
    expect(pull?.body).toMatch(/request changes[\s\S]*The world is misspelt[\s\S]*approve/);
    const calls = bench.writes();
    const ready = calls.findIndex((call) => call.includes('graphql'));
    const moved = calls.findLastIndex((call) => call.startsWith('PATCH') && call.includes('/git/refs/'));
    expect(moved).toBeGreaterThan(-1);
    expect(ready).toBeGreaterThan(moved);
    expect(
      bench.github.calls().find(({ method, path }) => method === 'POST' && path.endsWith('/pulls'))?.body,
    ).toMatchObject({ draft: true });

    const checks = await bench.github.checkRuns(bench.repository);
    expect(checks.map(({ head_sha: sha, conclusion }) => ({ sha, conclusion }))).toEqual([
      { sha: first, conclusion: 'neutral' },
      { sha: second, conclusion: 'success' },
    ]);
    expect(await bench.github.comments(bench.repository, issue)).toHaveLength(1);
  });

  itHere('does not make the platform overwrite what somebody else pushed meanwhile', async () => {
    let pushed: string | undefined;
    bench = await startIntegrationBench({
      files: GREETING,
      script: scriptOf(
        writes('backend_developer', 'work', greetingOf('hello wrold')),
        reviews(
          'review',
          'request_changes',
          ['hello wrold'],
          [{ path: null, text: 'The world is misspelt.' }],
        ),
        writes('backend_developer', 'fix-1', greetingOf('hello world'), ['misspelt']),
      ),
      decorate: (ports) => ({
        ...ports,
        // Between the first commit and the verdict on it.
        work: (open) => {
          pushed ??= pushOnto(bench);
          return ports.work(open);
        },
      }),
    });
    const run = await bench.submit([
      { id: 'work', agent: 'backend_developer', instructions: 'Greet the world' },
    ]);
    const ended = await bench.platform.ended(run);
    expect(ended).toMatchObject({ stage: 'failed', reason: { code: 'conflict' } });
    expect(ended.reason?.message).toMatch(/branch penstock\/\w+ of acme\/todo was changed by somebody else/);
    await bench.platform.settled();
    expect(pushed).toBeDefined();
    expect(bench.git('rev-parse', bench.branchOf(run))).toBe(pushed);
    expect(bench.git('rev-parse', `${bench.branchOf(run)}^`)).toBe(ended.heads[0]);
    expect(await bench.github.pullRequests(bench.repository)).toMatchObject([{ draft: true }]);
    expect(await bench.github.checkRuns(bench.repository)).toMatchObject([
      { head_sha: ended.heads[0], conclusion: 'failure' },
    ]);
  });
});

/** Somebody's commit on the only branch of a run; answers its SHA. */
function pushOnto({ github, repository }: IntegrationBench): string {
  const directory = github.gitDirectory(repository);
  const branch = gitIn(directory, 'for-each-ref', '--format=%(refname)', 'refs/heads/penstock/');
  const tree = gitIn(directory, 'rev-parse', `${branch}^{tree}`);
  const sha = gitIn(directory, 'commit-tree', tree, '-p', branch, '-m', 'By somebody else');
  gitIn(directory, 'update-ref', branch, sha);
  return sha;
}
