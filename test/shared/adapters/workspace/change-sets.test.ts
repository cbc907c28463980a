import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { runGit } from '../../../../shared/adapters/local/git-command.ts';
import { createPlainSandbox } from '../../../../shared/adapters/local/plain-sandbox.ts';
import { applyChangeSet } from '../../../../shared/adapters/workspace/apply-change-set.ts';
import {
  collectChangeSet,
  type ChangeSetWithContents,
} from '../../../../shared/adapters/workspace/collect-change-set.ts';
import { checkpoint, resetTo, restore, snapshot } from '../../../../shared/adapters/workspace/snapshot.ts';
import { diffStat, workspaceDiff } from '../../../../shared/adapters/workspace/workspace-diff.ts';
import type { Workspace } from '../../../../shared/adapters/workspace/workspace.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';
import { makeRepository, write, type TestRepository } from './make-repository.ts';

const LINES = Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`);
const BINARY = Uint8Array.from({ length: 3000 }, (_, index) => (index * 7919) % 256);

const withLine = (line: number, text: string): string => LINES.with(line - 1, `${text}\n`).join('');

describe('change sets', () => {
  let repository: TestRepository;
  let workspace: Workspace;
  beforeEach(async () => {
    repository = await makeRepository({
      'src/a.txt': LINES.join(''),
      'src/old.txt': 'old\n',
      'run.sh': 'exit 0\n',
      'plain.txt': 'plain\n',
      'image.bin': BINARY,
      link: '-> plain.txt',
      '.gitignore': 'ignored/\n',
      'spaced name ü.txt': 'x\n',
    });
    workspace = await repository.prepare();
  });
  afterEach(() => repository.remove());

  const change = async (
    files: Record<string, string | Uint8Array | undefined>,
  ): Promise<ChangeSetWithContents> => {
    const other = await repository.prepare();
    await write(other.checkout, files);
    return collectChangeSet(other);
  };
  const read = (path: string) => readFile(join(workspace.checkout, path), 'utf8');
  const reasonsOf = async (): Promise<string[]> => {
    const error: unknown = await collectChangeSet(workspace).catch((caught: unknown) => caught);
    if (!(error instanceof PenstockError)) throw new Error('the changes were not refused', { cause: error });
    return error.reasons;
  };

  describe('collecting', () => {
    it('is empty when nothing changed', async () => {
      expect(await collectChangeSet(workspace)).toEqual({
        changeSet: { v: 1, baseSha: repository.baseSha, entries: [], added: 0, deleted: 0, checks: [] },
        contents: new Map(),
      });
    });

    it('takes edits, new files, deletions, modes and binary contents, and leaves ignored files out', async () => {
      await write(workspace.checkout, {
        'src/a.txt': withLine(3, 'changed'),
        'src/old.txt': undefined,
        'deep/new.txt': 'new\n',
        'image.bin': BINARY.map((byte) => 255 - byte),
        'ignored/x': 'x',
        'node_modules/y/index.js': 'y',
        'spaced name ü.txt': 'y\n',
      });
      await chmod(join(workspace.checkout, 'plain.txt'), 0o755);
      const { changeSet, contents } = await collectChangeSet(workspace);
      expect(changeSet.entries.map(({ path, mode, before }) => [path, mode, before?.mode ?? null])).toEqual([
        ['deep/new.txt', '100644', null],
        ['image.bin', '100644', '100644'],
        ['plain.txt', '100755', '100644'],
        ['spaced name ü.txt', '100644', '100644'],
        ['src/a.txt', '100644', '100644'],
        ['src/old.txt', null, '100644'],
      ]);
      expect(changeSet).toMatchObject({ added: 3, deleted: 3, v: 1 });
      const entry = changeSet.entries[4]!;
      expect(Buffer.from(contents.get(entry.blob!)!).toString()).toBe(withLine(3, 'changed'));
      expect(Buffer.from(contents.get(entry.before!.blob)!).toString()).toBe(LINES.join(''));
      expect(entry.bytes).toBe(withLine(3, 'changed').length);
    });

    it('refuses links, repositories inside, large files and names that reach into .git, with all reasons at once', async () => {
      await symlink('/etc/passwd', join(workspace.checkout, 'evil'));
      await mkdir(join(workspace.checkout, 'inner'));
      await runGit(['init', '--quiet'], { cwd: join(workspace.checkout, 'inner') });
      await write(workspace.checkout, {
        'big.txt': 'x'.repeat(1024 * 1024 + 1),
        '.GIT/config': 'x',
        'a\\b': 'x',
        link: undefined,
      });
      const reasons = await reasonsOf();
      for (const reason of [
        '"evil" is a symbolic link',
        '"link" is a symbolic link',
        '"inner" is a git repository of its own',
        '"big.txt" has 1048577 bytes',
        '".GIT/config" reaches into .git',
        'has a backslash',
      ]) {
        expect(reasons).toContainEqual(expect.stringContaining(reason));
      }
    });

    it('never drops a file silently because git would not take its name', async () => {
      await write(workspace.checkout, { '.GIT/config': 'x', 'ok.txt': 'x' });
      expect(await reasonsOf()).toEqual([expect.stringContaining('".GIT/config" reaches into .git')]);
    });

    it('refuses names that are not UTF-8', async () => {
      await writeFile(Buffer.concat([Buffer.from(`${workspace.checkout}/bad-`), Buffer.from([0xff])]), 'x');
      expect(await reasonsOf()).toEqual([expect.stringContaining('is not UTF-8')]);
    });

    it('refuses more files than a person would review', async () => {
      for (let index = 0; index <= 300; index++) await writeFile(join(workspace.checkout, `f${index}`), 'x');
      expect(await reasonsOf()).toEqual(['301 files; at most 300 are taken']);
    });

    it('sees a folder that became a link as deleted files and a link', async () => {
      await rm(join(workspace.checkout, 'src'), { recursive: true });
      await symlink('/etc', join(workspace.checkout, 'src'));
      expect(await reasonsOf()).toEqual(['"src" is a symbolic link']);
    });

    it('starts no program that the checkout names', async () => {
      const { checkout } = workspace;
      const marker = join(repository.root, 'pwned');
      const settings = {
        'core.fsmonitor': `touch ${marker}`,
        'filter.x.clean': `touch ${marker}`,
        'diff.external': `touch ${marker}`,
      };
      for (const [key, value] of Object.entries(settings)) {
        await runGit(['config', '--file', join(checkout, '.git', 'config'), key, value], { cwd: checkout });
      }
      await write(checkout, {
        '.gitattributes': '* filter=x diff=x\n',
        'src/a.txt': 'changed\n',
        '.git/hooks/pre-commit.sh': 'touch x',
      });
      await collectChangeSet(workspace);
      await workspaceDiff(workspace, 10_000);
      expect(await readdir(repository.root)).not.toContain('pwned');
      // The control: a plain git in that folder does start it.
      const limits = { timeoutMs: 5_000, maxOutputBytes: 1_000 };
      await createPlainSandbox().run({
        argv: ['git', 'status'],
        cwd: checkout,
        writable: [checkout],
        network: 'none',
        ...limits,
      });
      expect(await readdir(repository.root)).toContain('pwned');
    });
  });

  describe('applying', () => {
    it('lands on a clean checkout exactly', async () => {
      const files = {
        'src/a.txt': withLine(3, 'changed'),
        'src/old.txt': undefined,
        'deep/new.sh': 'new\n',
        'image.bin': BINARY.slice(10),
        'spaced name ü.txt': 'no end of line',
      };
      const set = await change(files);
      expect(await applyChangeSet(workspace, set)).toEqual({ outcome: 'applied' });
      expect(await collectChangeSet(workspace)).toEqual(set);
      expect(await read('src/a.txt')).toBe(withLine(3, 'changed'));
      await expect(read('src/old.txt')).rejects.toThrow('ENOENT');
    });

    it('merges changes of one file at different places, whatever the order', async () => {
      const sets = [
        await change({ 'src/a.txt': withLine(3, 'three') }),
        await change({ 'src/a.txt': withLine(30, 'thirty') }),
      ];
      for (const set of sets) expect(await applyChangeSet(workspace, set)).toEqual({ outcome: 'applied' });
      const merged = await read('src/a.txt');
      await resetTo(workspace, workspace.inputsTree);
      expect(await read('src/a.txt')).toBe(LINES.join(''));
      for (const set of sets.toReversed())
        expect(await applyChangeSet(workspace, set)).toEqual({ outcome: 'applied' });
      expect(await read('src/a.txt')).toBe(merged);
      expect(merged).toContain('three\n');
      expect(merged).toContain('thirty\n');
    });

    it('reports a conflict with its markers and puts everything back', async () => {
      await applyChangeSet(workspace, await change({ 'src/a.txt': withLine(3, 'left') }));
      await write(workspace.checkout, { 'untracked.txt': 'mine\n' });
      const before = await snapshot(workspace);
      const result = await applyChangeSet(
        workspace,
        await change({ 'src/a.txt': withLine(3, 'right'), 'also.txt': 'new\n' }),
      );
      expect(result).toMatchObject({ outcome: 'conflict', files: [{ path: 'src/a.txt' }] });
      const excerpt = result.outcome === 'conflict' ? result.files[0]!.excerpt : '';
      expect(excerpt).toMatch(/^<{7}[\s\S]*left[\s\S]*={7}[\s\S]*right[\s\S]*>{7}/);
      expect(await snapshot(workspace)).toEqual(before);
      expect(await read('untracked.txt')).toBe('mine\n');
      await expect(read('also.txt')).rejects.toThrow('ENOENT');
    });

    it('reports a conflict where one side deleted what the other changed', async () => {
      await applyChangeSet(workspace, await change({ 'src/old.txt': 'changed\n' }));
      const result = await applyChangeSet(workspace, await change({ 'src/old.txt': undefined }));
      expect(result).toMatchObject({ outcome: 'conflict', files: [{ path: 'src/old.txt' }] });
      expect(await read('src/old.txt')).toBe('changed\n');
    });

    it('reports a conflict where both added the same name, unless the contents are the same', async () => {
      await applyChangeSet(workspace, await change({ 'new.txt': 'left\n' }));
      const result = await applyChangeSet(workspace, await change({ 'new.txt': 'right\n' }));
      expect(result).toMatchObject({ outcome: 'conflict', files: [{ path: 'new.txt' }] });
      expect(await read('new.txt')).toBe('left\n');
      expect(await applyChangeSet(workspace, await change({ 'new.txt': 'left\n' }))).toEqual({
        outcome: 'applied',
      });
    });

    it('reports a conflict of binary files', async () => {
      await applyChangeSet(workspace, await change({ 'image.bin': BINARY.slice(5) }));
      const result = await applyChangeSet(workspace, await change({ 'image.bin': BINARY.slice(9) }));
      expect(result).toMatchObject({ outcome: 'conflict', files: [{ path: 'image.bin' }] });
    });

    it('takes an empty change set', async () => {
      expect(await applyChangeSet(workspace, await change({}))).toEqual({ outcome: 'applied' });
    });

    it('refuses contents that are missing or are not what their hash says', async () => {
      const set = await change({ 'new.txt': 'new\n' });
      const { blob } = set.changeSet.entries[0]!;
      await expect(applyChangeSet(workspace, { ...set, contents: new Map() })).rejects.toThrow('are missing');
      const forged = new Map([[blob!, Buffer.from('bad\n')]]);
      await expect(applyChangeSet(workspace, { ...set, contents: forged })).rejects.toThrow(
        `are not ${blob}`,
      );
    });

    it.each(['../escape', '/etc/escape', '.git/config', '.GIT/hooks/x', 'src/../../x', 'a\u0000b'])(
      'refuses the path %j and writes nothing',
      async (path) => {
        const set = await change({ 'new.txt': 'new\n' });
        const entries = set.changeSet.entries.map((entry) => ({ ...entry, path }));
        const before = await snapshot(workspace);
        const forged = { ...set, changeSet: { ...set.changeSet, entries } };
        await expect(applyChangeSet(workspace, forged)).rejects.toMatchObject({ code: 'invalid' });
        expect(await snapshot(workspace)).toEqual(before);
      },
    );

    it('never writes through a link that the repository has', async () => {
      const outside = join(repository.root, 'outside');
      await mkdir(outside);
      const baseSha = await repository.commit({ door: `-> ${outside}` });
      const target = await repository.prepare({ baseSha });
      const set = await change({ 'door/new.txt': 'new\n' });
      expect(await applyChangeSet(target, set)).toMatchObject({ outcome: 'conflict' });
      expect(await readdir(outside)).toEqual([]);
    });
  });

  describe('state', () => {
    it('comes back from a checkpoint whole, in a fresh workspace', async () => {
      await write(workspace.checkout, {
        'src/a.txt': withLine(1, 'x'),
        'src/old.txt': undefined,
        'n/new.sh': 'new\n',
        'image.bin': BINARY.slice(3),
      });
      const patch = await checkpoint(workspace);
      const fresh = await repository.prepare();
      await write(fresh.checkout, { 'leftover.txt': 'x', 'plain.txt': 'x' });
      await restore(fresh, patch);
      expect(await snapshot(fresh)).toEqual(await snapshot(workspace));
      await restore(fresh, await checkpoint(await repository.prepare()));
      expect((await snapshot(fresh)).tree).toBe(workspace.inputsTree);
    });

    it('resets everything but ignored files', async () => {
      await write(workspace.checkout, {
        'src/a.txt': 'x',
        'plain.txt': undefined,
        'new/x': 'x',
        'ignored/x': 'kept',
      });
      await mkdir(join(workspace.checkout, 'inner'));
      await runGit(['init', '--quiet'], { cwd: join(workspace.checkout, 'inner') });
      await rm(join(workspace.checkout, 'src'), { recursive: true });
      await symlink('/etc', join(workspace.checkout, 'src'));
      await resetTo(workspace, workspace.inputsTree);
      expect(await snapshot(workspace)).toEqual({ tree: workspace.inputsTree, skipped: [] });
      expect(await read('src/a.txt')).toBe(LINES.join(''));
      expect(await read('ignored/x')).toBe('kept');
    });

    it('shows a diff, cut in the middle, and counts it', async () => {
      expect(await workspaceDiff(workspace, 10_000)).toBe('');
      await write(workspace.checkout, { 'src/a.txt': withLine(3, 'changed'), 'new.txt': 'a\nb\n' });
      const diff = await workspaceDiff(workspace, 10_000);
      expect(diff).toContain('-line 3\n+changed\n');
      expect(diff).toContain('+++ b/new.txt');
      expect(await diffStat(workspace)).toEqual({ files: 2, added: 3, deleted: 1 });
      expect(await workspaceDiff(workspace, 100)).toMatch(/bytes left out/);
    });

    it('survives any mix of files: collect, apply elsewhere, collect again', async () => {
      const content = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }), fc.constant(undefined));
      const path = fc.constantFrom(
        'src/a.txt',
        'src/old.txt',
        'image.bin',
        'plain.txt',
        'n1.txt',
        'n/n2.txt',
        'n/m/n3.sh',
        'spaced name ü.txt',
      );
      await fc.assert(
        fc.asyncProperty(fc.dictionary(path, content, { maxKeys: 6 }), async (files) => {
          // The test's own way of writing a link.
          const plain = Object.fromEntries(
            Object.entries(files).map(([name, text]) => [name, typeof text === 'string' ? `.${text}` : text]),
          );
          const set = await change(plain);
          await resetTo(workspace, workspace.inputsTree);
          expect(await applyChangeSet(workspace, set)).toEqual({ outcome: 'applied' });
          expect(await collectChangeSet(workspace)).toEqual(set);
        }),
        { numRuns: 8 },
      );
    }, 300_000);
  });
});
