import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { gitEnvironment, readGit, runGit } from '../../../../shared/adapters/local/git-command.ts';
import { collectChangeSet } from '../../../../shared/adapters/workspace/collect-change-set.ts';
import { portOf } from '../../../support/port-of.ts';
import { makeRepository, write, type TestRepository } from './make-repository.ts';

describe('preparing a workspace', () => {
  let repository: TestRepository;
  beforeEach(async () => {
    repository = await makeRepository({
      'src/a.ts': 'one\ntwo\nthree\n',
      'run.sh': 'exit 0\n',
      link: '-> src/a.ts',
    });
  });
  afterEach(() => repository.remove());

  it('checks out the base, and only its commit', async () => {
    const later = await repository.commit({ 'later.txt': 'later\n' });
    const workspace = await repository.prepare();
    expect((await readdir(workspace.checkout)).toSorted()).toEqual(['.git', 'link', 'run.sh', 'src']);
    expect((await stat(join(workspace.checkout, 'run.sh'))).mode & 0o111).not.toBe(0);
    const git = { cwd: workspace.checkout };
    expect(await readGit(['rev-list', '--all', 'HEAD'], git)).toBe(repository.baseSha);
    expect((await runGit(['cat-file', '-e', later], { ...git, answers: [1, 128] })).exitCode).not.toBe(0);
  });

  it('gives the agent a git of its own that shows a clean checkout', async () => {
    const workspace = await repository.prepare();
    expect(await readGit(['status', '--porcelain'], { cwd: workspace.checkout })).toBe('');
    await write(workspace.checkout, { 'new.txt': 'x\n' });
    expect(await readGit(['status', '--porcelain'], { cwd: workspace.checkout })).toBe('?? new.txt');
  });

  it('applies the inputs in order and makes changes relative to them', async () => {
    const first = await repository.prepare();
    await write(first.checkout, { 'src/a.ts': 'ONE\ntwo\nthree\n', 'b.ts': 'b\n' });
    const one = await collectChangeSet(first);
    const second = await repository.prepare({ inputs: [one] });
    await write(second.checkout, { 'b.ts': 'better\n' });
    const two = await collectChangeSet(second);
    expect(two.changeSet.entries.map((entry) => entry.path)).toEqual(['b.ts']);

    const third = await repository.prepare({ inputs: [one, two] });
    expect(await readFile(join(third.checkout, 'src/a.ts'), 'utf8')).toBe('ONE\ntwo\nthree\n');
    expect(await readFile(join(third.checkout, 'b.ts'), 'utf8')).toBe('better\n');
    expect((await collectChangeSet(third)).changeSet.entries).toEqual([]);
    expect(await readGit(['rev-list', '--count', 'HEAD'], { cwd: third.checkout })).toBe('2');
  });

  it('refuses inputs that do not apply one after the other', async () => {
    const change = async (text: string) => {
      const workspace = await repository.prepare();
      await write(workspace.checkout, { 'src/a.ts': text });
      return collectChangeSet(workspace);
    };
    const inputs = [await change('left\ntwo\nthree\n'), await change('right\ntwo\nthree\n')];
    const error = { code: 'conflict', message: expect.stringContaining('input 2 does not apply') };
    await expect(repository.prepare({ inputs })).rejects.toMatchObject(error);
  });

  it('starts over when an earlier attempt died half way', async () => {
    const directory = join(repository.root, 'again');
    const first = await repository.prepare({ directory });
    await write(first.checkout, { 'half.txt': 'half\n', 'run.sh': undefined });
    const second = await repository.prepare({ directory });
    expect((await readdir(second.checkout)).toSorted()).toEqual(['.git', 'link', 'run.sh', 'src']);
  });

  it('says what is missing: commit, repository, or a sensible name', async () => {
    const baseSha = '1'.repeat(40);
    await expect(repository.prepare({ baseSha })).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining(baseSha),
    });
    const clone = { url: join(repository.root, 'nothing') };
    await expect(repository.prepare({ clone })).rejects.toMatchObject({ code: 'not_found' });
    await expect(repository.prepare({ service: '../x' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(repository.prepare({ service: '.task' })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('leaves the folders of submodules empty and out of all changes', async () => {
    const git = { cwd: repository.url };
    await runGit(['update-index', '--add', '--cacheinfo', `160000,${'2'.repeat(40)},vendor/lib`], git);
    await runGit(
      ['-c', 'user.name=T', '-c', 'user.email=t@localhost', 'commit', '-q', '-m', 'submodule'],
      git,
    );
    const workspace = await repository.prepare({ baseSha: await readGit(['rev-parse', 'HEAD'], git) });
    expect((await collectChangeSet(workspace)).changeSet.entries).toEqual([]);
  });

  describe('over HTTP', () => {
    let server: Server;
    let url: string;
    const authorization = `Basic ${Buffer.from('x-access-token:ghs-test-secret').toString('base64')}`;
    beforeEach(async () => {
      server = gitServer(repository.root, authorization);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${portOf(server)}/origin/.git`;
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    it('clones with the authorization, which is in no file afterwards', async () => {
      const workspace = await repository.prepare({ clone: { url, authorization } });
      expect(await readFile(join(workspace.checkout, 'src/a.ts'), 'utf8')).toBe('one\ntwo\nthree\n');
      const files = await readdir(workspace.directory, { recursive: true, withFileTypes: true });
      const texts = await Promise.all(
        files
          .filter((file) => file.isFile())
          .map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
      );
      expect(texts.length).toBeGreaterThan(5);
      const secret = authorization.slice('Basic '.length);
      expect(texts.filter((text) => text.includes(secret) || text.includes('ghs-test-secret'))).toEqual([]);
    });

    it('says that it was refused without the authorization, and does not show a wrong one', async () => {
      await expect(repository.prepare({ clone: { url } })).rejects.toMatchObject({ code: 'unauthenticated' });
      const wrong = { url, authorization: 'Basic d3Jvbmctc2VjcmV0LXZhbHVl' };
      await expect(repository.prepare({ clone: wrong })).rejects.toMatchObject({
        message: expect.not.stringContaining('d3Jvbmc'),
      });
    });

    it('fetches the branches when the server refuses to hand out a single commit', async () => {
      await writeFile(join(repository.url, '.git', 'config.old'), '');
      const old = gitServer(repository.root, undefined, { GIT_PROTOCOL: '' });
      await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
      await repository.commit({ 'later.txt': 'so that the base is no tip\n' });
      try {
        const clone = { url: `http://127.0.0.1:${portOf(old)}/origin/.git` };
        const workspace = await repository.prepare({ clone });
        expect((await readdir(workspace.checkout)).toSorted()).toEqual(['.git', 'link', 'run.sh', 'src']);
        // Both commits came: it was not the shallow fetch that worked.
        expect(await readGit(['rev-list', '--count', 'HEAD'], { cwd: workspace.checkout })).toBe('2');
      } finally {
        await new Promise((resolve) => old.close(resolve));
      }
    });

    it('asks to try again later when nobody answers', async () => {
      await new Promise((resolve) => server.close(resolve));
      await expect(repository.prepare({ clone: { url } })).rejects.toMatchObject({
        code: 'unavailable',
        retry: 'later',
      });
    });
  });
});

/** Git's own HTTP backend; without `authorization` it is open. */
function gitServer(
  root: string,
  authorization: string | undefined,
  env: Record<string, string> = {},
): Server {
  return createServer((request, response) => {
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const backend = spawn('git', ['http-backend'], {
      env: {
        ...gitEnvironment(),
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: pathname,
        QUERY_STRING: searchParams.toString(),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        ...env,
      },
    });
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    backend.once('close', () => {
      const output = Buffer.concat(chunks);
      const end = output.indexOf('\r\n\r\n');
      const headers = output
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': '));
      const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
      for (const [name = '', value = ''] of headers) if (name !== 'Status') response.setHeader(name, value);
      response.writeHead(Number.parseInt(status, 10)).end(output.subarray(end + 4));
    });
  });
}
