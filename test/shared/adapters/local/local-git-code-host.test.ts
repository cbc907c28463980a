import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalGitCodeHost } from '../../../../shared/adapters/local/local-git-code-host.ts';
import type { RepositoryRef } from '../../../../shared/ports/code-host.ts';
import { codeHostContract, CONTRACT_FILES } from '../../../contract/code-host-contract.ts';

let root: string;
let count = 0;
const host = createLocalGitCodeHost();
const at = (path: string): RepositoryRef => ({ host: 'local-git', repository: path });

function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Tester', '-c', 'user.email=tester@localhost'];
  return execFileSync('git', [...identity, '-C', folder, ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();
}

function newCheckout(name = 'with space and ünïcode'): string {
  const folder = join(root, `${(count += 1)}`, name);
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '--quiet', '--initial-branch=main');
  for (const [path, file] of Object.entries(CONTRACT_FILES)) {
    const { content, mode } =
      typeof file === 'object' && 'mode' in file ? file : { content: file, mode: '100644' };
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    if (mode === '100755') chmodSync(join(folder, path), 0o755);
  }
  git(folder, 'add', '--all');
  git(folder, 'commit', '--quiet', '-m', 'First commit');
  return folder;
}

/** All that a person would notice, and the files of git that nobody may touch. */
function stateOf(folder: string): Record<string, string> {
  const files = ['HEAD', 'index', 'config'].map((name) => [
    name,
    readFileSync(join(folder, '.git', name), 'base64'),
  ]);
  return {
    ...Object.fromEntries(files),
    status: git(folder, 'status', '--porcelain'),
    head: git(folder, 'rev-parse', 'HEAD'),
  };
}

const edit = (content: string) => [
  { path: 'src/a.ts', mode: '100644' as const, content: Buffer.from(content) },
];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'local-git-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

codeHostContract('local-git', async () => {
  const empty = join(root, 'empty');
  mkdirSync(empty, { recursive: true });
  git(empty, 'init', '--quiet', '--initial-branch=main');
  return Promise.resolve({
    host,
    repository: at(newCheckout()),
    emptyRepository: at(empty),
    unknownRepository: at(join(root, 'no-such-folder')),
    stop: async () => Promise.resolve(),
  });
});

describe('a local checkout', () => {
  it('keeps working tree, index, HEAD and configuration as they are while commits and branches are written', async () => {
    const folder = newCheckout();
    writeFileSync(join(folder, 'README.md'), 'half done\n');
    writeFileSync(join(folder, 'staged.txt'), 'staged\n');
    writeFileSync(join(folder, 'untracked.txt'), 'untracked\n');
    git(folder, 'add', 'staged.txt');
    const before = stateOf(folder);
    const base = git(folder, 'rev-parse', 'HEAD');
    const sha = await host.writeCommit(at(folder), { parent: base, message: 'Edit', changes: edit('new') });
    await host.createBranch(at(folder), 'penstock/r1', base);
    await host.advanceBranch(at(folder), 'penstock/r1', sha);
    expect(stateOf(folder)).toEqual(before);
    expect(git(folder, 'diff', '--name-only', 'main...penstock/r1')).toBe('src/a.ts');
  });
  it('runs no hook and no program of the repository', async () => {
    const folder = newCheckout();
    const trap = join(folder, '..', 'trapped');
    const script = join(folder, '..', 'trap.sh');
    writeFileSync(script, `#!/bin/sh\necho "$0" >> '${trap}'\ncat\n`, { mode: 0o755 });
    mkdirSync(join(folder, '.git/hooks'), { recursive: true });
    for (const hook of ['reference-transaction', 'post-index-change', 'pre-commit']) {
      writeFileSync(join(folder, '.git/hooks', hook), `#!/bin/sh\necho ${hook} >> '${trap}'\n`, {
        mode: 0o755,
      });
    }
    for (const [key, value] of [
      ['diff.external', script],
      ['core.fsmonitor', script],
      ['filter.t.clean', script],
      ['diff.t.textconv', script],
      ['commit.gpgSign', 'true'],
      ['gpg.program', script],
      ['core.pager', script],
    ] as const) {
      git(folder, 'config', key, value);
    }
    writeFileSync(join(folder, '.git/info/attributes'), '* filter=t diff=t\n');
    // The trap itself works: git run by a person does call it.
    git(folder, 'update-ref', 'refs/heads/control', 'HEAD');
    expect(existsSync(trap)).toBe(true);
    rmSync(trap);
    const base = (await host.readBranch(at(folder), 'main')) ?? '';
    const sha = await host.writeCommit(at(folder), { parent: base, message: 'Edit', changes: edit('new') });
    await host.createBranch(at(folder), 'penstock/r2', base);
    await host.advanceBranch(at(folder), 'penstock/r2', sha);
    expect(await host.diff(at(folder), base, sha, 10_000)).toContain('+new');
    expect(existsSync(trap)).toBe(false);
  });
  it('signs commits with one fixed identity, whatever the user is called', async () => {
    const folder = newCheckout();
    git(folder, 'config', 'user.name', 'Somebody');
    const base = git(folder, 'rev-parse', 'HEAD');
    const sha = await host.writeCommit(at(folder), { parent: base, message: 'Edit', changes: edit('new') });
    expect(git(folder, 'log', '-1', '--format=%an <%ae> %cn <%ce>', sha)).toBe(
      'Penstock <penstock@localhost> Penstock <penstock@localhost>',
    );
  });
  it('is found from one of its folders', async () => {
    const folder = newCheckout();
    const inside = at(join(folder, 'src'));
    const base = (await host.readBranch(inside, 'main')) ?? '';
    expect((await host.readTree(inside, base, 100)).entries.map(({ path }) => path)).toContain('README.md');
    expect(Buffer.from((await host.readFile(inside, base, 'src/a.ts', 100)) ?? []).toString()).toBe(
      'export const a = 1;\n',
    );
  });
  it('may be a bare repository or a linked worktree', async () => {
    const folder = newCheckout();
    const bare = `${folder}.git`;
    const linked = `${folder}-linked`;
    execFileSync('git', ['clone', '--quiet', '--bare', folder, bare]);
    git(folder, 'worktree', 'add', '--quiet', '-b', 'topic', linked);
    const base = git(folder, 'rev-parse', 'HEAD');
    for (const [path, branch] of [
      [bare, 'main'],
      [linked, 'topic'],
    ] as const) {
      expect(await host.defaultBranch(at(path))).toBe(branch);
      const sha = await host.writeCommit(at(path), { parent: base, message: 'Edit', changes: edit(path) });
      expect(await host.createBranch(at(path), 'penstock/r3', sha)).toBe('created');
      expect(await host.readBranch(at(path), 'penstock/r3')).toBe(sha);
    }
  });
  it('names no default branch without commits, and the SHA of a detached HEAD', async () => {
    const folder = newCheckout();
    const base = git(folder, 'rev-parse', 'HEAD');
    git(folder, 'checkout', '--quiet', '--detach');
    expect(await host.defaultBranch(at(folder))).toBe(base);
    expect(await host.readBranch(at(folder), base)).toBe(base);
    expect(await host.defaultBranch(at(join(root, 'empty')))).toBeUndefined();
  });
  it('does not move a branch that somebody has checked out', async () => {
    const folder = newCheckout();
    const base = git(folder, 'rev-parse', 'HEAD');
    const sha = await host.writeCommit(at(folder), { parent: base, message: 'Edit', changes: edit('new') });
    await expect(host.advanceBranch(at(folder), 'main', sha)).rejects.toMatchObject({ code: 'refused' });
    expect(git(folder, 'rev-parse', 'main')).toBe(base);
  });
  it('is refused outside the allowed folder, also through a link', async () => {
    const folder = newCheckout();
    const other = mkdtempSync(join(tmpdir(), 'allowed-'));
    try {
      const confined = createLocalGitCodeHost({ allowedRoot: other });
      execFileSync('ln', ['-s', folder, join(other, 'link')]);
      for (const path of [folder, join(other, 'link')]) {
        await expect(confined.defaultBranch(at(path))).rejects.toMatchObject({ code: 'forbidden' });
      }
      await expect(confined.defaultBranch(at('relative/path'))).rejects.toMatchObject({ code: 'invalid' });
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });
  it('reads a symbolic link as no file, and lists it as what it is', async () => {
    const folder = newCheckout();
    execFileSync('ln', ['-s', '/etc/passwd', join(folder, 'link')]);
    git(folder, 'add', 'link');
    git(folder, 'commit', '--quiet', '-m', 'Link');
    const sha = git(folder, 'rev-parse', 'HEAD');
    expect(await host.readFile(at(folder), sha, 'link', 100)).toBeUndefined();
    expect((await host.readTree(at(folder), sha, 100)).entries).toContainEqual({
      path: 'link',
      mode: '120000',
      bytes: 11,
    });
  });
});
