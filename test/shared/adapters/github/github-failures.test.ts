import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createGithubCodeHost } from '../../../../shared/adapters/github/github-code-host.ts';
import type { CodeHost, RepositoryRef } from '../../../../shared/ports/code-host.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';
import type { Github } from '../../../support/github/github-driver.ts';
import { startGithub } from '../../../support/github/start-github.ts';

let github: Github;
let directory: string;
let host: CodeHost;
let base: string;
const lines: string[] = [];
const write = (message: string, fields?: object): void =>
  void lines.push(`${message} ${JSON.stringify(fields)}`);
const log: Log = { debug: write, info: write, warn: write, error: write, with: () => log };
const todo: RepositoryRef = { host: 'github', repository: 'acme/todo' };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'github-failures-'));
  github = await startGithub({ directory });
  base =
    (
      await github.addRepository({
        owner: 'acme',
        name: 'todo',
        files: { 'a.txt': 'a\n', 'deep/er/b.txt': 'b\n' },
      })
    ).headSha ?? '';
  await github.addRepository({ owner: 'acme', name: 'free-plan', files: { 'a.txt': 'a\n' }, drafts: false });
  await github.addRepository({ owner: 'rival', name: 'secret', files: { 'a.txt': 'a\n' } });
  host = createHost();
});
afterAll(async () => {
  await github.stop();
  await rm(directory, { recursive: true, force: true });
});

function createHost(more: { fetch?: typeof fetch; privateKey?: string } = {}): CodeHost {
  const { id: appId, privateKey } = github.app;
  return createGithubCodeHost({ appId, privateKey, apiUrl: github.url, log, ...more });
}

async function failureOf(call: Promise<unknown>): Promise<PenstockError> {
  const error = await call.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof PenstockError)) throw new Error(`not a PenstockError: ${String(error)}`);
  return error;
}

async function branchOf(repository: RepositoryRef, name: string): Promise<string> {
  const main = (await host.readBranch(repository, 'main')) ?? '';
  const changes = [{ path: `${name}.txt`, mode: '100644' as const, content: Buffer.from(name) }];
  const sha = await host.writeCommit(repository, { parent: main, message: name, changes });
  await host.createBranch(repository, name, sha);
  return sha;
}

const posts = (end: string): number =>
  github.calls().filter((call) => call.method === 'POST' && call.path.endsWith(end)).length;

const limit = (status: number, headers: Record<string, string>, message: string): void =>
  github.failNext({
    match: { path: /\/issues\/1$/ },
    status,
    applied: false,
    headers,
    body: { message },
  });

const cut: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init);
  if (!answer.url.includes('recursive=1')) return answer;
  return Response.json({ ...((await answer.json()) as object), tree: [], truncated: true });
};

describe('the GitHub code host, when GitHub fails,', () => {
  it('does not repeat what may have been done: one pull request and one comment after a lost answer', async () => {
    await branchOf(todo, 'lost');
    github.failNext({ match: { method: 'POST', path: /\/pulls$/ }, status: 502, applied: true });
    const request = { headBranch: 'lost', baseBranch: 'main', title: 'Lost', body: 'B' };
    expect(await failureOf(host.createPullRequest(todo, request))).toMatchObject({
      code: 'unavailable',
      retry: 'later',
    });
    const found = await host.findPullRequest(todo, 'lost');
    expect(found).toMatchObject({ draft: true });
    expect(posts('/pulls')).toBe(1);

    github.failNext({ match: { method: 'POST', path: /\/comments$/ }, status: 0, applied: true });
    expect(await failureOf(host.createComment(todo, found?.number ?? 0, 'mark'))).toMatchObject({
      code: 'unavailable',
      retry: 'later',
    });
    expect(await host.findComment(todo, found?.number ?? 0, 'mark')).toBeDefined();
    expect(posts('/comments')).toBe(1);
  });
  it('tries reads and idempotent writes again, at most twice', async () => {
    github.failNext({
      match: { method: 'GET', path: /\/git\/ref\// },
      status: 502,
      applied: false,
      times: 2,
    });
    expect(await host.readBranch(todo, 'main')).toBe(base);
    github.failNext({ match: { method: 'PATCH', path: /\/git\/refs\// }, status: 502, applied: true });
    await host.createBranch(todo, 'again', base);
    expect(await host.advanceBranch(todo, 'again', base)).toBe('advanced');
    github.failNext({
      match: { method: 'GET', path: /\/git\/ref\// },
      status: 503,
      applied: false,
      times: 3,
    });
    expect(await failureOf(host.readBranch(todo, 'main'))).toMatchObject({
      code: 'unavailable',
      retry: 'later',
    });
  });
  it('says how long to wait at a limit', async () => {
    limit(403, { 'retry-after': '7' }, 'You have exceeded a secondary rate limit.');
    expect(await failureOf(host.readThread(todo, 1))).toMatchObject({
      code: 'rate_limited',
      retry: 'later',
      afterMs: 7_000,
    });
    limit(429, {}, 'Too many');
    expect(await failureOf(host.readThread(todo, 1))).toMatchObject({
      code: 'rate_limited',
      retry: 'later',
      afterMs: 60_000,
    });
    const reset = String(Math.floor(Date.now() / 1_000) + 90);
    limit(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }, 'API rate limit exceeded');
    const { code, afterMs = 0 } = await failureOf(host.readThread(todo, 1));
    expect([code, afterMs > 80_000 && afterMs <= 90_000]).toEqual(['rate_limited', true]);
    limit(403, {}, 'Resource not accessible by integration');
    expect(await failureOf(host.readThread(todo, 1))).toMatchObject({ code: 'forbidden', retry: 'never' });
  });

  it.each(['not a key', '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----'])(
    'names the variable of a key that is none, without the key: %j',
    (privateKey) => {
      const create = () => createHost({ privateKey });
      expect(create).toThrow(expect.objectContaining({ code: 'config', retry: 'never' }));
      expect(create).toThrow(/^GITHUB_PRIVATE_KEY is no private key: [^\n]*\.pem/);
    },
  );

  it('takes a key whose line ends are written as \\n, as in an environment', async () => {
    const privateKey = github.app.privateKey.replaceAll('\n', '\\n');
    expect(await createHost({ privateKey }).defaultBranch(todo)).toBe('main');
  });

  it('names a wrong key, an App that is not installed and a call that takes too long', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const wrong = createHost({ privateKey });
    expect(await failureOf(wrong.readBranch(todo, 'main'))).toMatchObject({
      code: 'unauthenticated',
      retry: 'never',
    });
    const nowhere = { host: 'github', repository: 'nobody/nothing' } as const;
    expect(
      await failureOf(host.writeCommit(nowhere, { parent: base, message: 'm', changes: [] })),
    ).toMatchObject({ code: 'not_found' });
    const slow = createHost({
      fetch: () =>
        Promise.reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
    });
    expect(await failureOf(slow.createComment(todo, 1, 'x'))).toMatchObject({
      code: 'timeout',
      retry: 'later',
    });
    expect(await failureOf(host.readBranch({ host: 'github', repository: 'a/b/c' }, 'main'))).toMatchObject({
      code: 'invalid',
    });
  });
  it('gives every request a deadline', async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const watched = createHost({ fetch: (input, init) => (signals.push(init?.signal), fetch(input, init)) });
    await watched.readBranch(todo, 'main');
    expect(signals.length).toBeGreaterThan(1);
    expect(signals.every((signal) => signal instanceof AbortSignal)).toBe(true);
  });
  it('puts no token and no key into an error or the log', async () => {
    const { authorization = '' } = await host.cloneAccess(todo);
    const token =
      Buffer.from(authorization.split(' ')[1] ?? '', 'base64')
        .toString()
        .split(':')[1] ?? '';
    expect(token).toMatch(/^ghs_/);
    const errors: unknown[] = [];
    for (const status of [401, 403, 404, 409, 422, 429, 500, 0]) {
      github.failNext({ match: { method: 'POST', path: /\/comments$/ }, status, applied: false });
      errors.push(await failureOf(host.createComment(todo, 1, 'x')));
    }
    const shown = `${inspect(errors, { depth: 10 })}\n${lines.join('\n')}`;
    expect(shown).not.toMatch(/ghs_|eyJ|Basic |PRIVATE KEY/);
    expect(shown).toContain('acme/todo');
  });
});

describe('the GitHub code host', () => {
  it('gives a clone token that reads one repository and nothing else', async () => {
    const { url, authorization = '' } = await host.cloneAccess(todo);
    expect(url).toBe(`${github.url}/acme/todo.git`);
    const ask = async (method: string, path: string): Promise<number> =>
      (
        await fetch(`${github.url}${path}`, {
          method,
          headers: { authorization },
          ...(method === 'GET' ? {} : { body: '{"content":"x"}' }),
        })
      ).status;
    expect(await ask('GET', '/repos/acme/todo/contents/a.txt')).toBe(200);
    expect(await ask('POST', '/repos/acme/todo/git/blobs')).toBe(403);
    expect(await ask('GET', '/repos/acme/todo/issues/1')).toBe(403);
    expect(await ask('GET', '/repos/acme/free-plan/contents/a.txt')).toBe(404);
    expect(await ask('GET', '/acme/free-plan.git/info/refs?service=git-upload-pack')).toBe(404);
  });
  it('asks for tokens of the one repository only', () => {
    const asked = github.calls().filter((call) => call.path.endsWith('/access_tokens'));
    expect(asked.length).toBeGreaterThan(0);
    for (const { body } of asked) {
      const { repositories, permissions } = body as {
        repositories: string[];
        permissions: Record<string, string>;
      };
      expect(repositories).toHaveLength(1);
      expect(Object.keys(permissions)).not.toContain('administration');
    }
  });
  it('titles a pull request [WIP] where drafts are refused, until it is ready', async () => {
    const free = { host: 'github', repository: 'acme/free-plan' } as const;
    await branchOf(free, 'wip');
    const request = { headBranch: 'wip', baseBranch: 'main', title: 'Priorities', body: 'B' };
    const { number, draft } = await host.createPullRequest(free, request);
    const title = async () => (await github.pullRequests('acme/free-plan'))[0]?.title;
    expect([draft, await title()]).toEqual([true, '[WIP] Priorities']);
    await host.updatePullRequest(free, number, { title: 'Priorities of todos' });
    expect(await title()).toBe('[WIP] Priorities of todos');
    await host.markReady(free, number);
    await host.markReady(free, number);
    expect(await title()).toBe('Priorities of todos');
    expect(await host.findPullRequest(free, 'wip')).toMatchObject({ draft: false, state: 'open' });
    await github.merge('acme/free-plan', number, 'octocat');
    expect(await host.findPullRequest(free, 'wip')).toMatchObject({ state: 'merged' });
  });
  it('tells who may write', async () => {
    github.setPermission('acme/todo', 'ann', 'admin');
    github.setPermission('acme/todo', 'will', 'write');
    github.setPermission('acme/todo', 'rita', 'read');
    const roles = await Promise.all(
      ['ann', 'will', 'rita', 'nobody'].map((login) => host.permission(todo, login)),
    );
    expect(roles).toEqual(['admin', 'write', 'read', 'none']);
  });
  it('finds files of a tree that GitHub did not list whole', async () => {
    const limited = createHost({ fetch: cut });
    expect(Buffer.from((await limited.readFile(todo, base, 'deep/er/b.txt', 100)) ?? []).toString()).toBe(
      'b\n',
    );
    expect(await limited.readFile(todo, base, 'deep/er', 100)).toBeUndefined();
    expect(await limited.readFile(todo, base, 'a.txt/x', 100)).toBeUndefined();
    expect((await limited.readTree(todo, base, 10)).truncated).toBe(true);
  });
  it('falls back to the patches of single files where GitHub refuses a long diff', async () => {
    const sha = await branchOf(todo, 'long');
    github.failNext({ match: { path: /\/compare\// }, status: 406, applied: false });
    const diff = await host.diff(todo, base, sha, 1_000);
    expect(diff).toBe(
      'diff --git a/long.txt b/long.txt\n@@ -0,0 +1 @@\n+long\n\\ No newline at end of file\n',
    );
  });
  it('reads a symbolic link as no file', async () => {
    const run = promisify(execFile);
    const gitDirectory = github.gitDirectory('acme/todo');
    const blob = await host.writeCommit(todo, {
      parent: base,
      message: 'l',
      changes: [{ path: 't', mode: '100644', content: Buffer.from('a.txt') }],
    });
    const { stdout: object } = await run('git', ['-C', gitDirectory, 'rev-parse', `${blob}:t`]);
    const mktree = run('git', ['-C', gitDirectory, 'mktree']);
    mktree.child.stdin?.end(`120000 blob ${object.trim()}\tlink\n`);
    const tree = (await mktree).stdout.trim();
    const { stdout } = await run('git', [
      '-C',
      gitDirectory,
      '-c',
      'user.name=T',
      '-c',
      'user.email=t@t',
      'commit-tree',
      tree,
      '-m',
      'l',
    ]);
    expect(await host.readFile(todo, stdout.trim(), 'link', 100)).toBeUndefined();
    expect((await host.readTree(todo, stdout.trim(), 10)).entries).toEqual([
      { path: 'link', mode: '120000', bytes: 5 },
    ]);
  });
});
