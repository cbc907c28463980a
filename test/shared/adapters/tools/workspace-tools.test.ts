import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createBubblewrapSandbox } from '../../../../shared/adapters/local/bubblewrap-sandbox.ts';
import { createPlainSandbox } from '../../../../shared/adapters/local/plain-sandbox.ts';
import {
  createWorkspaceTools,
  type WorkspaceToolsConfig,
} from '../../../../shared/adapters/tools/workspace-tools.ts';
import type { Workspace } from '../../../../shared/adapters/workspace/workspace.ts';
import { toolNames, type ToolName } from '../../../../shared/messages/agent-file.ts';
import type { Tool, ToolResult } from '../../../../shared/ports/tool.ts';
import { group } from '../../../support/groups.ts';
import { makeRepository, write, type TestRepository } from '../workspace/make-repository.ts';

const EVERYTHING: WorkspaceToolsConfig['allow'] = {
  tools: toolNames,
  operations: ['read', 'write', 'execute'],
  paths: ['**'],
};
const FILES = {
  'src/a.ts': 'one\ntwo\nthree\ntwo\n',
  'src/b.ts': 'export const b = 1;\r\nconst c = 2;\r\n',
  'docs/guide.md': '# Guide\n',
  'image.bin': Uint8Array.from([1, 0, 2]),
  inside: '-> src/a.ts',
  outside: '-> /etc/passwd',
  '.gitignore': 'ignored/\n',
};

describe('the workspace tools', () => {
  let repository: TestRepository;
  let workspace: Workspace;
  let tools: Map<string, Tool>;
  const setUp = async (change: Partial<WorkspaceToolsConfig> = {}) => {
    const config = { workspace, sandbox: createPlainSandbox(), contract: {}, allow: EVERYTHING, ...change };
    tools = new Map((await createWorkspaceTools(config)).map((tool) => [tool.spec.name, tool]));
  };
  const call = (
    name: ToolName,
    input: unknown = {},
    signal = new AbortController().signal,
  ): Promise<ToolResult> => {
    const tool = tools.get(name);
    if (tool === undefined) throw new Error(`${name} was not offered`);
    return tool.run(input, signal);
  };
  const read = (path: string) => readFile(join(workspace.checkout, path), 'utf8');

  beforeEach(async () => {
    repository = await makeRepository(FILES);
    workspace = await repository.prepare();
    await setUp();
  });
  afterEach(() => repository.remove());

  describe('what is offered', () => {
    it('is everything that is allowed, with a JSON Schema of its input', () => {
      expect([...tools.keys()].toSorted()).toEqual([...toolNames].toSorted());
      expect(tools.get('edit_file')!.spec.inputSchema).toMatchObject({
        type: 'object',
        required: ['path', 'old', 'new'],
        additionalProperties: false,
        properties: { all: { type: 'boolean' } },
      });
    });

    it('is nothing by default, and no tool without its operation', async () => {
      await setUp({ allow: { tools: [], operations: ['read', 'write', 'execute'], paths: ['**'] } });
      expect([...tools.keys()]).toEqual([]);
      await setUp({ allow: { tools: toolNames, operations: ['read'], paths: ['**'] } });
      expect([...tools.keys()]).toEqual(['list_files', 'read_file', 'search', 'git_diff']);
    });

    it('answers a wrong input with what is wrong', async () => {
      const results = await Promise.all([
        call('read_file', { file: 'x' }),
        call('write_file', 'text'),
        call('list_files', { limit: 1e9 }),
      ]);
      for (const result of results) expect(result.isError).toBe(true);
      expect(results[0].content).toContain('path');
    });
  });

  describe('read_file', () => {
    it('reads a whole file, links inside included', async () => {
      expect(await call('read_file', { path: './src/a.ts' })).toEqual({
        content: FILES['src/a.ts'],
        isError: false,
        summary: './src/a.ts',
      });
      expect((await call('read_file', { path: 'inside' })).content).toBe(FILES['src/a.ts']);
    });

    it('reads some lines and says what is left', async () => {
      const { content } = await call('read_file', { path: 'src/a.ts', offset: 2, limit: 2 });
      expect(content).toBe('two\nthree\n\n[lines 2 to 3 of 4; go on with offset 4]');
      expect((await call('read_file', { path: 'src/a.ts', offset: 9 })).isError).toBe(true);
    });

    it('hands over no more than its limit', async () => {
      await write(workspace.checkout, {
        'long.txt': 'line\n'.repeat(10_000),
        'wide.txt': 'x'.repeat(500_000),
        'huge.txt': 'x'.repeat(1024 * 1024 + 1),
      });
      const long = await call('read_file', { path: 'long.txt' });
      expect(long.content).toMatch(/go on with offset 6001\]$/);
      expect((await call('read_file', { path: 'wide.txt' })).content.length).toBeLessThan(30_000);
      expect(await call('read_file', { path: 'huge.txt' })).toMatchObject({
        isError: true,
        content: expect.stringContaining('at most'),
      });
    });

    it('does not hang on a pipe and does not print binary files', async () => {
      execFileSync('mkfifo', [join(workspace.checkout, 'pipe')]);
      expect(await call('read_file', { path: 'pipe' })).toMatchObject({
        isError: true,
        content: expect.stringContaining('not a regular file'),
      });
      expect(await call('read_file', { path: 'image.bin' })).toMatchObject({
        isError: true,
        content: 'image.bin is a binary file of 3 bytes',
      });
      expect(await call('read_file', { path: 'src' })).toMatchObject({
        isError: true,
        content: expect.stringContaining('list_files'),
      });
    });
  });

  describe('paths', () => {
    const escapes = [
      '../secret',
      '/etc/passwd',
      'src/../../secret',
      'outside',
      'door/passwd',
      '.git/config',
      '.GIT/config',
      './.git/HEAD',
      'src/\u0000',
    ];
    it.each(escapes)('never lead out of the checkout or into .git: %j', async (path) => {
      await writeFile(join(workspace.directory, 'workspace', 'secret'), 'secret');
      await symlink('/etc', join(workspace.checkout, 'door'));
      const results = await Promise.all([
        call('read_file', { path }),
        call('write_file', { path, content: 'x' }),
        call('edit_file', { path, old: 'root', new: 'x' }),
        call('list_files', { path }),
        call('search', { path, pattern: 'root|secret|bare' }),
      ]);
      for (const result of results) {
        expect(result.isError).toBe(true);
        expect(result.content).not.toMatch(/root:|bare = /);
      }
      expect(await readFile(join(workspace.directory, 'workspace', 'secret'), 'utf8')).toBe('secret');
      expect(await readFile('/etc/passwd', 'utf8')).toContain('root');
    });

    it('never write through a link, dangling or not', async () => {
      const target = join(repository.root, 'target');
      await mkdir(target);
      await symlink(target, join(workspace.checkout, 'door'));
      await symlink(join(target, 'missing'), join(workspace.checkout, 'dangling'));
      await symlink(join(target, 'gone'), join(workspace.checkout, 'nowhere'));
      for (const path of ['door/x', 'dangling', 'nowhere/x', 'inside']) {
        expect({ path, ...(await call('write_file', { path, content: 'x' })) }).toMatchObject({
          path,
          isError: true,
        });
      }
      expect(await readdir(target)).toEqual([]);
      expect(await read('src/a.ts')).toBe(FILES['src/a.ts']);
    });

    it('keep to the globs of the agent, for reading and writing', async () => {
      await setUp({ allow: { ...EVERYTHING, paths: ['docs/**'] } });
      expect((await call('read_file', { path: 'docs/guide.md' })).isError).toBe(false);
      expect((await call('write_file', { path: 'docs/new/page.md', content: 'x' })).isError).toBe(false);
      expect(await call('read_file', { path: 'src/a.ts' })).toMatchObject({
        isError: true,
        content: expect.stringContaining('not among the paths'),
      });
      expect((await call('read_file', { path: 'inside' })).isError).toBe(true);
      expect((await call('write_file', { path: 'src/a.ts', content: 'x' })).isError).toBe(true);
      expect((await call('edit_file', { path: 'src/a.ts', old: 'one', new: 'x' })).isError).toBe(true);
      expect((await call('list_files')).content).toBe('docs/guide.md\ndocs/new/page.md');
      expect((await call('search', { pattern: 'one|Guide' })).content).toBe('docs/guide.md:1:# Guide');
    });

    it('keep to the globs of the repository for writing only', async () => {
      await setUp({ contract: { paths: ['src/**'] } });
      expect((await call('read_file', { path: 'docs/guide.md' })).isError).toBe(false);
      expect((await call('write_file', { path: 'docs/guide.md', content: 'x' })).isError).toBe(true);
      expect((await call('write_file', { path: 'src/new.ts', content: 'x' })).isError).toBe(false);
    });
  });

  describe('write_file and edit_file', () => {
    it('write a file with its folders, and keep the mode of an old one', async () => {
      await write(workspace.checkout, { 'run.sh': 'exit 1\n' });
      await call('write_file', { path: 'run.sh', content: 'exit 0\n' });
      expect((await stat(join(workspace.checkout, 'run.sh'))).mode & 0o111).not.toBe(0);
      const result = await call('write_file', { path: 'a/b/c.txt', content: 'x\ny\n' });
      expect(result).toEqual({ content: 'wrote a/b/c.txt: 2 lines', isError: false, summary: 'a/b/c.txt' });
      expect(await read('a/b/c.txt')).toBe('x\ny\n');
    });

    it('replace one exact match, whatever characters it has', async () => {
      expect((await call('edit_file', { path: 'src/a.ts', old: 'one\ntwo', new: '$& $1 \\n' })).content).toBe(
        'edited src/a.ts: 1 place',
      );
      expect(await read('src/a.ts')).toBe('$& $1 \\n\nthree\ntwo\n');
    });

    it('say how many matches there are when it is not one, and change nothing', async () => {
      expect(await call('edit_file', { path: 'src/a.ts', old: 'two', new: '2' })).toMatchObject({
        isError: true,
        content: expect.stringMatching(/^2 matches .*near lines 2, 4/),
      });
      expect(await call('edit_file', { path: 'src/a.ts', old: 'four', new: '4' })).toMatchObject({
        isError: true,
        content: expect.stringMatching(/^0 matches/),
      });
      expect(await call('edit_file', { path: 'src/a.ts', old: 'two', new: 'two' })).toMatchObject({
        isError: true,
      });
      expect(await read('src/a.ts')).toBe(FILES['src/a.ts']);
      await call('edit_file', { path: 'src/a.ts', old: 'two', new: '2', all: true });
      expect(await read('src/a.ts')).toBe('one\n2\nthree\n2\n');
    });

    it('keep line ends, and name them when they are why nothing matched', async () => {
      const old = 'export const b = 1;\nconst c';
      expect((await call('edit_file', { path: 'src/b.ts', old, new: 'x' })).content).toContain('\\r\\n');
      await call('edit_file', { path: 'src/b.ts', old: 'c = 2', new: 'c = 3' });
      expect(await read('src/b.ts')).toBe('export const b = 1;\r\nconst c = 3;\r\n');
    });

    it('say that a file to edit is missing', async () => {
      expect(await call('edit_file', { path: 'none.ts', old: 'a', new: 'b' })).toMatchObject({
        isError: true,
        content: expect.stringContaining('does not exist'),
      });
    });
  });

  describe('list_files and search', () => {
    it('list what is there now, without ignored and deleted files', async () => {
      await write(workspace.checkout, { 'src/new.ts': 'x', 'ignored/x': 'x', 'docs/guide.md': undefined });
      expect((await call('list_files', { path: 'src/' })).content).toBe('src/a.ts\nsrc/b.ts\nsrc/new.ts');
      const all = (await call('list_files')).content.split('\n');
      expect(all).not.toContain('docs/guide.md');
      expect(all).not.toContain('ignored/x');
      expect((await call('list_files', { limit: 2 })).content).toMatch(/\[\d more; .*\]$/);
    });

    it('find lines of tracked and new files by expression', async () => {
      await write(workspace.checkout, { 'src/new.ts': 'two hundred\n', 'ignored/x': 'two' });
      const { content } = await call('search', { pattern: '^t\\w+\\s?', path: 'src' });
      expect(content.split('\n')).toEqual([
        'src/a.ts:2:two',
        'src/a.ts:3:three',
        'src/a.ts:4:two',
        'src/new.ts:1:two hundred',
      ]);
      expect((await call('search', { pattern: 'nowhere' })).content).toBe('no matches');
      expect(await call('search', { pattern: '(' })).toMatchObject({
        isError: true,
        content: expect.stringContaining('search failed'),
      });
      expect((await call('search', { pattern: '--help' })).isError).toBe(false);
    });

    it('stop at a bound and say so', async () => {
      await write(workspace.checkout, { 'many.txt': 'match\n'.repeat(1_000) });
      const { content } = await call('search', { pattern: 'match' });
      expect(content.split('\n')).toHaveLength(201);
      expect(content).toContain('more matches');
    });
  });

  describe('shell, run_tests and git_diff', () => {
    it('run a command in the checkout, with both streams in order', async () => {
      const result = await call('shell', { command: 'pwd; echo problem >&2; echo end; exit 3' });
      expect(result).toEqual({
        content: `${workspace.checkout}\nproblem\nend\n[exit code 3]`,
        isError: true,
        summary: 'exit code 3',
      });
    });

    it('stop a command at the limit of time and of output', async () => {
      await setUp({ limits: { shellTimeoutMs: 300, maxOutputBytes: 2_000 } });
      expect(await call('shell', { command: 'sleep 30' })).toMatchObject({
        isError: true,
        content: '[stopped after 300 ms]',
      });
      expect((await call('shell', { command: 'yes | head -c 1000000' })).content.length).toBeLessThan(2_200);
    });

    it('stop when the attempt does', async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 200);
      const startedAt = Date.now();
      await call('shell', { command: 'sleep 30' }, controller.signal);
      expect(Date.now() - startedAt).toBeLessThan(5_000);
      await expect(call('shell', { command: 'true' }, controller.signal)).rejects.toThrow('aborted');
    });

    it('run the tests of the contract and never call red green', async () => {
      const contract = { test: ['node --test', 'echo second'] };
      await setUp({ contract });
      await write(workspace.checkout, { 'test/sum.test.mjs': testExpecting(3) });
      const red = await call('run_tests');
      expect(red).toMatchObject({
        isError: true,
        summary: expect.stringMatching(/^failed: 0 passed, 1 failed/),
      });
      expect(red.content).toContain('2 == 3');
      expect(red.content).toContain('[FAILED, exit code 1: 0 passed, 1 failed]');
      await write(workspace.checkout, { 'test/sum.test.mjs': testExpecting(2) });
      expect(await call('run_tests')).toMatchObject({
        isError: false,
        summary: expect.stringMatching(/^passed: 1 passed/),
      });
    });

    it('say that there is no test command, as an error', async () => {
      expect(await call('run_tests')).toMatchObject({
        isError: true,
        content: '[none: the repository has no test command]',
      });
    });

    it('show the diff with new files', async () => {
      expect((await call('git_diff')).content).toBe('no changes');
      await call('write_file', { path: 'new.txt', content: 'new\n' });
      expect((await call('git_diff')).content).toContain('+++ b/new.txt\n@@ -0,0 +1 @@\n+new');
    });

    it('run one after the other, however they are called', async () => {
      const calls = Array.from({ length: 6 }, (_, index) => [
        call('write_file', { path: `f${index}.txt`, content: 'x\n' }),
        call('git_diff'),
      ]).flat();
      const results = await Promise.all(calls);
      expect(results.every((result) => !result.isError)).toBe(true);
      expect(results.at(-1)!.content.match(/^\+x$/gm)).toHaveLength(6);
    });
  });

  group('bubblewrap')('the shell in bubblewrap', () => {
    it('sees the checkout and a home that lasts, and nothing else of the machine', async () => {
      await setUp({ sandbox: createBubblewrapSandbox() });
      expect((await call('shell', { command: 'cat src/a.ts; echo kept > ~/file' })).content).toContain(
        'three',
      );
      expect((await call('shell', { command: 'cat ~/file; git log --oneline | wc -l' })).content).toBe(
        'kept\n1\n[exit code 0]',
      );
      const spy = `ls ${homedir()} ${repository.url} ${workspace.gitDirectory}; cat ../../git/*/config; env`;
      const result = await call('shell', { command: spy });
      expect(result.content.match(/No such file|cannot access/g)!.length).toBeGreaterThanOrEqual(3);
      expect(result.content).not.toMatch(/PENSTOCK|_KEY|_TOKEN/);
      await rm(join(workspace.home, 'file'));
    });
  });
});

const testExpecting = (expected: number): string =>
  `import test from 'node:test';\nimport assert from 'node:assert';\ntest('sum', () => assert.equal(1 + 1, ${expected}));\n`;
