import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CodeHost, FileChange, RepositoryRef } from '../../shared/ports/code-host.ts';

export interface CodeHostFixture {
  host: CodeHost;
  /** Holds {@link CONTRACT_FILES} on `main`. */
  repository: RepositoryRef;
  emptyRepository: RepositoryRef;
  unknownRepository: RepositoryRef;
  /** An issue that somebody wrote; only for hosts that have issues. */
  openIssue?: (title: string, body: string, author: string) => Promise<number>;
  /** A comment by somebody who is not us. */
  comment?: (issue: number, body: string) => Promise<void>;
  stop(): Promise<void>;
}

export const CONTRACT_FILES = {
  'README.md': '# Todo\n',
  'bin/run.sh': { content: '#!/bin/sh\necho hi\n', mode: '100755' as const },
  'src/a.ts': 'export const a = 1;\n',
  'src/b.ts': 'export const b = 1;\n',
  'src/with space/größe.txt': 'ümlaut\n',
  'data.bin': new Uint8Array([0, 255, 1, 254, 10, 13]),
};

// Not the synchronous one: the host may be served by this process.
const run = promisify(execFile);
const UNKNOWN_SHA = 'deadbeef'.repeat(5);

/** What every {@link CodeHost} keeps to, on a real repository. */
export function codeHostContract(name: string, start: () => Promise<CodeHostFixture>): void {
  describe(`CodeHost contract: ${name}`, () => {
    let fixture: CodeHostFixture;
    let base: string;
    const use = (): { host: CodeHost; repository: RepositoryRef; base: string } => ({ ...fixture, base });

    beforeAll(async () => {
      fixture = await start();
      base = (await fixture.host.readBranch(fixture.repository, 'main')) ?? '';
    });
    afterAll(() => fixture.stop());

    readContract(use, () => fixture);
    writeContract(use);
    branchContract(use);
    describe('pull requests, comments and check runs', () => {
      pullRequestContract(use, () => fixture);
    });
  });
}

type Use = () => { host: CodeHost; repository: RepositoryRef; base: string };

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

function put(path: string, content: string, mode: FileChange['mode'] = '100644'): FileChange {
  return { path, mode, content: Buffer.from(content) };
}

function readContract(use: Use, fixture: () => CodeHostFixture): void {
  it('names the default branch and its SHA', async () => {
    const { host, repository, base } = use();
    expect(await host.defaultBranch(repository)).toBe('main');
    expect(base).toMatch(/^[0-9a-f]{40}$/);
    expect(await host.readCommit(repository, base)).toEqual({
      sha: base,
      parents: [],
      message: expect.stringContaining('First'),
    });
  });
  it('answers undefined for unknown repositories, branches, commits and files', async () => {
    const { host, repository, base } = use();
    const { unknownRepository } = fixture();
    expect(await host.defaultBranch(unknownRepository)).toBeUndefined();
    expect(await host.readBranch(unknownRepository, 'main')).toBeUndefined();
    expect(await host.readBranch(repository, 'no/such-branch')).toBeUndefined();
    expect(await host.readBranch(repository, 'mai')).toBeUndefined();
    expect(await host.readCommit(repository, UNKNOWN_SHA)).toBeUndefined();
    expect(await host.readCommit(repository, 'main')).toBeUndefined();
    expect(await host.readFile(repository, base, 'no-such-file', 100)).toBeUndefined();
    expect(await host.readFile(repository, UNKNOWN_SHA, 'README.md', 100)).toBeUndefined();
  });
  it('has no branch in an empty repository', async () => {
    const { host } = use();
    expect(await host.readBranch(fixture().emptyRepository, 'main')).toBeUndefined();
  });
  it('lists files in path order with mode and size', async () => {
    const { host, repository, base } = use();
    const { entries, truncated } = await host.readTree(repository, base, 100);
    expect(truncated).toBe(false);
    expect(entries.map(({ path }) => path)).toEqual(Object.keys(CONTRACT_FILES).toSorted());
    expect(entries).toContainEqual({ path: 'bin/run.sh', mode: '100755', bytes: 18 });
    expect(entries).toContainEqual({ path: 'data.bin', mode: '100644', bytes: 6 });
  });
  it('says when there are more files than asked for', async () => {
    const { host, repository, base } = use();
    const { entries, truncated } = await host.readTree(repository, base, 2);
    expect(entries.map(({ path }) => path)).toEqual(['README.md', 'bin/run.sh']);
    expect(truncated).toBe(true);
  });
  it('refuses the tree of an unknown commit', async () => {
    const { host, repository } = use();
    await expect(host.readTree(repository, UNKNOWN_SHA, 10)).rejects.toMatchObject({ code: 'not_found' });
  });
  it('reads files byte by byte, cut at the limit', async () => {
    const { host, repository, base } = use();
    expect(text(await host.readFile(repository, base, 'src/a.ts', 1_000))).toBe('export const a = 1;\n');
    expect(text(await host.readFile(repository, base, 'src/a.ts', 6))).toBe('export');
    expect(text(await host.readFile(repository, base, 'src/with space/größe.txt', 1_000))).toBe('ümlaut\n');
    expect([...((await host.readFile(repository, base, 'data.bin', 1_000)) ?? [])]).toEqual([
      0, 255, 1, 254, 10, 13,
    ]);
  });
  it('has no file at a folder or at a path that leaves the repository', async () => {
    const { host, repository, base } = use();
    for (const path of ['src', 'src/', '', '.', '../README.md', '/etc/passwd', '*.md', ':(top)README.md']) {
      expect([path, await host.readFile(repository, base, path, 1_000)]).toEqual([path, undefined]);
    }
  });
  it('gives an URL and a header that git can clone with', async () => {
    const { host, repository, base } = use();
    const { url, authorization } = await host.cloneAccess(repository);
    const folder = mkdtempSync(join(tmpdir(), 'contract-clone-'));
    try {
      const header =
        authorization === undefined ? [] : ['-c', `http.extraHeader=Authorization: ${authorization}`];
      await run('git', [...header, 'clone', '--quiet', url, folder], { timeout: 60_000 });
      const { stdout } = await run('git', ['-C', folder, 'rev-parse', 'HEAD']);
      expect(stdout.trim()).toBe(base);
      expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('# Todo\n');
      expect(existsSync(join(folder, 'bin/run.sh'))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function writeContract(use: Use): void {
  it('writes a commit that adds, changes, deletes and makes executable', async () => {
    const { host, repository, base } = use();
    const changes: FileChange[] = [
      put('src/a.ts', 'export const a = 2;\n'),
      put('src/deep/new file ☃.ts', 'new\n'),
      put('tool.sh', '#!/bin/sh\n', '100755'),
      put('empty.txt', ''),
      { path: 'src/b.ts', mode: '100644' },
    ];
    const sha = await host.writeCommit(repository, {
      parent: base,
      message: 'Change a\n\nPenstock-Run: x1',
      changes,
    });
    const commit = await host.readCommit(repository, sha);
    expect(commit?.parents).toEqual([base]);
    expect(commit?.message.trimEnd()).toBe('Change a\n\nPenstock-Run: x1');
    expect(text(await host.readFile(repository, sha, 'src/a.ts', 1_000))).toBe('export const a = 2;\n');
    expect(text(await host.readFile(repository, sha, 'src/deep/new file ☃.ts', 1_000))).toBe('new\n');
    expect(text(await host.readFile(repository, sha, 'empty.txt', 1_000))).toBe('');
    expect(await host.readFile(repository, sha, 'src/b.ts', 1_000)).toBeUndefined();
    expect((await host.readTree(repository, sha, 100)).entries).toContainEqual({
      path: 'tool.sh',
      mode: '100755',
      bytes: 10,
    });
    expect(text(await host.readFile(repository, sha, 'README.md', 1_000))).toBe('# Todo\n');
    expect(await host.readBranch(repository, 'main')).toBe(base);
  });
  it('turns a file into a folder and back', async () => {
    const { host, repository, base } = use();
    const changes: FileChange[] = [{ path: 'README.md', mode: '100644' }, put('README.md/index.md', 'x\n')];
    const folder = await host.writeCommit(repository, { parent: base, message: 'Folder', changes });
    expect(text(await host.readFile(repository, folder, 'README.md/index.md', 100))).toBe('x\n');
    const back: FileChange[] = [{ path: 'README.md/index.md', mode: '100644' }, put('README.md', 'back\n')];
    const file = await host.writeCommit(repository, { parent: folder, message: 'File', changes: back });
    expect(text(await host.readFile(repository, file, 'README.md', 100))).toBe('back\n');
  });
  it('shows a diff of what a commit changed, cut at the limit', async () => {
    const { host, repository, base } = use();
    const changes = [put('src/a.ts', 'export const a = 3;\n')];
    const sha = await host.writeCommit(repository, { parent: base, message: 'Three', changes });
    const diff = await host.diff(repository, base, sha, 10_000);
    expect(diff).toContain('diff --git a/src/a.ts b/src/a.ts');
    expect(diff).toContain('-export const a = 1;\n+export const a = 3;');
    expect(await host.diff(repository, base, sha, 20)).toBe(diff.slice(0, 20));
    expect(await host.diff(repository, base, base, 10_000)).toBe('');
  });
  it.each([
    '../out.txt',
    '/etc/passwd',
    'a//b',
    './a',
    'a/..',
    '.git/config',
    'x/.GIT/hooks/post-checkout',
    '.gIt',
    '',
  ])('refuses to commit the path %j', async (path) => {
    const { host, repository, base } = use();
    const commit = { parent: base, message: 'Bad', changes: [put(path, 'x')] };
    await expect(host.writeCommit(repository, commit)).rejects.toMatchObject({
      code: 'invalid',
      retry: 'never',
    });
  });
  it('refuses to delete what is not there, and a parent that is not there', async () => {
    const { host, repository, base } = use();
    const gone: FileChange = { path: 'no-such-file', mode: '100644' };
    await expect(
      host.writeCommit(repository, { parent: base, message: 'Gone', changes: [gone] }),
    ).rejects.toMatchObject({ code: 'invalid' });
    const orphan = { parent: UNKNOWN_SHA, message: 'Orphan', changes: [put('a', 'a')] };
    await expect(host.writeCommit(repository, orphan)).rejects.toMatchObject({ code: 'not_found' });
  });
}

function branchContract(use: Use): void {
  const commit = async (parent: string, content: string): Promise<string> => {
    const { host, repository } = use();
    return host.writeCommit(repository, { parent, message: content, changes: [put('branch.txt', content)] });
  };
  it('creates a branch once', async () => {
    const { host, repository, base } = use();
    const sha = await commit(base, 'once');
    expect(await host.createBranch(repository, 'penstock/once', sha)).toBe('created');
    expect(await host.createBranch(repository, 'penstock/once', sha)).toBe('exists');
    expect(await host.createBranch(repository, 'penstock/once', base)).toBe('exists');
    expect(await host.readBranch(repository, 'penstock/once')).toBe(sha);
  });
  it('advances a branch by fast-forward only', async () => {
    const { host, repository, base } = use();
    const first = await commit(base, 'first');
    const second = await commit(first, 'second');
    const aside = await commit(base, 'aside');
    await host.createBranch(repository, 'penstock/forward', base);
    expect(await host.advanceBranch(repository, 'penstock/forward', second)).toBe('advanced');
    expect(await host.advanceBranch(repository, 'penstock/forward', second)).toBe('advanced');
    expect(await host.advanceBranch(repository, 'penstock/forward', aside)).toBe('conflict');
    expect(await host.advanceBranch(repository, 'penstock/forward', first)).toBe('conflict');
    expect(await host.readBranch(repository, 'penstock/forward')).toBe(second);
  });
  it('lets one of two that advance a branch at once win', async () => {
    const { host, repository, base } = use();
    const rivals = await Promise.all([commit(base, 'left'), commit(base, 'right')]);
    await host.createBranch(repository, 'penstock/race', base);
    const outcomes = await Promise.all(
      rivals.map((sha) => host.advanceBranch(repository, 'penstock/race', sha)),
    );
    expect(outcomes.toSorted()).toEqual(['advanced', 'conflict']);
    expect(await host.readBranch(repository, 'penstock/race')).toBe(rivals[outcomes.indexOf('advanced')]);
  });
  it('refuses branches and commits that do not exist', async () => {
    const { host, repository, base } = use();
    await expect(host.createBranch(repository, 'penstock/lost', UNKNOWN_SHA)).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(host.advanceBranch(repository, 'penstock/none', base)).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(host.createBranch(repository, 'bad..name', base)).rejects.toMatchObject({ code: 'invalid' });
  });
}

function pullRequestContract(use: Use, fixture: () => CodeHostFixture): void {
  const branch = async (name: string): Promise<string> => {
    const { host, repository, base } = use();
    const sha = await host.writeCommit(repository, {
      parent: base,
      message: name,
      changes: [put(`${name}.txt`, name)],
    });
    await host.createBranch(repository, name, sha);
    return sha;
  };
  const pull = async (name: string) => {
    const { host, repository } = use();
    return host.createPullRequest(repository, {
      headBranch: name,
      baseBranch: 'main',
      title: name,
      body: 'Body',
    });
  };
  it('are refused by a host that has none', async () => {
    const { host, repository, base } = use();
    if (host.hasPullRequests) return;
    const check = {
      name: 'c',
      headSha: base,
      externalId: 'x',
      status: 'in_progress' as const,
      title: 't',
      summary: 's',
    };
    const calls = [
      host.readThread(repository, 1),
      host.findPullRequest(repository, 'main'),
      host.markReady(repository, 1),
      host.findComment(repository, 1, 'm'),
      host.createComment(repository, 1, 'b'),
      host.createCheckRun(repository, check),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'invalid', retry: 'never' });
  });
  it('go from draft to ready, once and again', async () => {
    const { host, repository } = use();
    if (!host.hasPullRequests) return;
    const headSha = await branch('penstock-ready');
    expect(await host.findPullRequest(repository, 'penstock-ready')).toBeUndefined();
    const created = await pull('penstock-ready');
    expect(created).toMatchObject({ state: 'open', draft: true, headSha });
    expect(await host.findPullRequest(repository, 'penstock-ready')).toEqual(created);
    await host.markReady(repository, created.number);
    await host.markReady(repository, created.number);
    expect(await host.findPullRequest(repository, 'penstock-ready')).toMatchObject({
      number: created.number,
      draft: false,
    });
  });
  it('follow their branch', async () => {
    const { host, repository } = use();
    if (!host.hasPullRequests) return;
    const first = await branch('penstock-follow');
    await pull('penstock-follow');
    const next = await host.writeCommit(repository, {
      parent: first,
      message: 'next',
      changes: [put('next.txt', 'n')],
    });
    await host.advanceBranch(repository, 'penstock-follow', next);
    expect(await host.findPullRequest(repository, 'penstock-follow')).toMatchObject({ headSha: next });
  });
  it('are opened once for a branch', async () => {
    const { host } = use();
    if (!host.hasPullRequests) return;
    await branch('penstock-twice');
    await pull('penstock-twice');
    await expect(pull('penstock-twice')).rejects.toMatchObject({ code: 'conflict', retry: 'never' });
  });
  it('keep one comment of ours, found by its marker on any page and never taken from others', async () => {
    const { host, repository } = use();
    const { openIssue, comment } = fixture();
    if (!host.hasPullRequests || openIssue === undefined || comment === undefined) return;
    const issue = await openIssue('Priorities', 'Todos need a priority', 'octocat');
    expect(await host.readThread(repository, issue)).toEqual({
      title: 'Priorities',
      body: 'Todos need a priority',
      author: 'octocat',
    });
    expect(await host.readThread(repository, 9_999)).toBeUndefined();
    await comment(issue, 'I copy your <!-- penstock:r1 -->');
    expect(await host.findComment(repository, issue, '<!-- penstock:r1 -->')).toBeUndefined();
    for (let index = 0; index < 104; index += 1) await comment(issue, `remark ${index}`);
    const { id } = await host.createComment(repository, issue, '<!-- penstock:r1 --> started');
    expect(await host.findComment(repository, issue, '<!-- penstock:r1 -->')).toEqual({
      id,
      body: '<!-- penstock:r1 --> started',
    });
    await host.updateComment(repository, id, '<!-- penstock:r1 --> done');
    expect(await host.findComment(repository, issue, '<!-- penstock:r1 -->')).toEqual({
      id,
      body: '<!-- penstock:r1 --> done',
    });
    expect(await host.findComment(repository, issue, '<!-- penstock:r2 -->')).toBeUndefined();
  });
  it('carry check runs that are found again by our id', async () => {
    const { host, repository, base } = use();
    if (!host.hasPullRequests) return;
    const check = {
      name: 'Penstock',
      headSha: base,
      externalId: 'run-7',
      title: 'Working',
      summary: 'On it',
    };
    expect(await host.findCheckRun(repository, base, 'run-7')).toBeUndefined();
    const { id } = await host.createCheckRun(repository, {
      ...check,
      status: 'in_progress',
      detailsUrl: 'http://127.0.0.1/runs/7',
    });
    await host.createCheckRun(repository, { ...check, externalId: 'run-8', status: 'in_progress' });
    expect(await host.findCheckRun(repository, base, 'run-7')).toEqual({ id, status: 'in_progress' });
    await host.updateCheckRun(repository, id, { ...check, status: 'completed', conclusion: 'success' });
    expect(await host.findCheckRun(repository, base, 'run-7')).toEqual({
      id,
      status: 'completed',
      conclusion: 'success',
    });
    const lost = { ...check, headSha: UNKNOWN_SHA, status: 'in_progress' as const };
    await expect(host.createCheckRun(repository, lost)).rejects.toMatchObject({ code: 'invalid' });
  });
  it('say nothing of a commit that nobody else has checked', async () => {
    const { host, repository, base } = use();
    expect(await host.readCi(repository, base)).toEqual({ state: 'none', failures: [], pending: [] });
  });
  it('know who may write', async () => {
    const { host, repository } = use();
    const answer = await host.permission(repository, 'a-stranger');
    expect(answer).toBe(host.hasPullRequests ? 'none' : 'admin');
  });
}
