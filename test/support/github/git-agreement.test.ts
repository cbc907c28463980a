import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFixture, type StandInFixture } from './stand-in-fixture.ts';

let fixture: StandInFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const TODO = '/repos/acme/todo';
let clones = 0;

async function clone(repository: string, token: string | undefined): Promise<string> {
  const folder = join(fixture.folder, `clone-${(clones += 1)}`);
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  const header = token === undefined ? [] : ['-c', `http.extraHeader=Authorization: Basic ${basic}`];
  await fixture.git(...header, 'clone', '--quiet', `${fixture.github.url}/${repository}.git`, folder);
  if (token !== undefined)
    await fixture.git('-C', folder, 'config', 'http.extraHeader', `Authorization: Basic ${basic}`);
  return folder;
}

async function commitByApi(
  token: string,
  parent: string,
  content: string,
): Promise<{ commit: string; tree: string; blob: string }> {
  const post = async (path: string, body: unknown): Promise<string> => {
    const answer = await fixture.api('POST', `${TODO}${path}`, { token, body });
    expect(answer.status).toBe(201);
    return (answer.data as { sha: string }).sha;
  };
  const base = await fixture.api('GET', `${TODO}/git/commits/${parent}`, { token });
  const blob = await post('/git/blobs', {
    content: Buffer.from(content).toString('base64'),
    encoding: 'base64',
  });
  const baseTree = (base.data as { tree: { sha: string } }).tree.sha;
  const tree = await post('/git/trees', {
    base_tree: baseTree,
    tree: [{ path: 'src/b.ts', mode: '100644', type: 'blob', sha: blob }],
  });
  return { blob, tree, commit: await post('/git/commits', { message: content, tree, parents: [parent] }) };
}

describe('the API and git', () => {
  it('agree on what the API wrote: it can be cloned, with the same SHAs', async () => {
    const token = await fixture.token('acme/todo');
    const { commit, tree, blob } = await commitByApi(token, fixture.base, 'by the API\n');
    const ref = await fixture.api('POST', `${TODO}/git/refs`, {
      token,
      body: { ref: 'refs/heads/api', sha: commit },
    });
    expect(ref.status).toBe(201);
    const folder = await clone('acme/todo', await fixture.token('acme/todo', { contents: 'read' }));
    expect(
      await fixture.git('-C', folder, 'rev-parse', 'origin/api', 'origin/api^{tree}', 'origin/api:src/b.ts'),
    ).toBe([commit, tree, blob].join('\n'));
    await fixture.git('-C', folder, 'checkout', '--quiet', 'api');
    expect(await readFile(join(folder, 'src/b.ts'), 'utf8')).toBe('by the API\n');
    expect(await fixture.git('-C', folder, 'log', '-1', '--format=%an|%cn')).toBe('penstock[bot]|GitHub');
    expect(await fixture.git('-C', folder, 'fsck', '--strict')).toBe('');
  });
  it('agree on what git pushed: the API reads it, and a pull request follows', async () => {
    const { token: person } = fixture.github.addUser('pusher');
    fixture.github.setPermission('acme/todo', 'pusher', 'write');
    const folder = await clone('acme/todo', person);
    const push = async (content: string): Promise<string> => {
      await writeFile(join(folder, 'pushed.txt'), content);
      await fixture.git('-C', folder, 'add', '--all');
      await fixture.git('-C', folder, 'commit', '--quiet', '-m', content);
      await fixture.git('-C', folder, 'push', '--quiet', 'origin', 'HEAD:refs/heads/pushed');
      return fixture.git('-C', folder, 'rev-parse', 'HEAD');
    };
    const first = await push('one');
    const body = { title: 'Pushed', head: 'pushed', base: 'main' };
    const pull = await fixture.api('POST', `${TODO}/pulls`, { token: person, body });
    expect([pull.status, (pull.data as { head: { sha: string } }).head.sha]).toEqual([201, first]);
    const second = await push('two');
    const { head } =
      (await fixture.github.pullRequests('acme/todo')).find(({ title }) => title === 'Pushed') ?? {};
    expect(head?.sha).toBe(second);
    const branch = await fixture.api('GET', `${TODO}/branches/pushed`, { token: person });
    expect((branch.data as { commit: { sha: string } }).commit.sha).toBe(second);
    const file = await fixture.api('GET', `${TODO}/contents/pushed.txt?ref=pushed`, {
      token: person,
      accept: 'application/vnd.github.raw',
    });
    expect(file.data).toBe('two');
  });
  it('refuse to clone without the token of that repository', async () => {
    const foreign = await fixture.token('rival/secret');
    for (const token of [undefined, 'ghs_invented', foreign]) {
      await expect(clone('acme/todo', token)).rejects.toThrow(
        /terminal prompts disabled|Authentication failed|not found/,
      );
    }
    await expect(clone('acme/todo', await fixture.token('acme/todo', { issues: 'write' }))).rejects.toThrow(
      /403/,
    );
    await expect(clone('acme/public', undefined)).resolves.toBeDefined();
  });
  it('refuse a push with a token that only reads', async () => {
    const folder = await clone('acme/todo', await fixture.token('acme/todo', { contents: 'read' }));
    await expect(
      fixture.git('-C', folder, 'push', '--quiet', 'origin', 'HEAD:refs/heads/stolen'),
    ).rejects.toThrow(/403/);
    expect(await fixture.github.branches('acme/todo')).not.toHaveProperty('stolen');
  });
  it('agree on compared files, and show them as a diff', async () => {
    const token = await fixture.token('acme/todo');
    const { commit } = await commitByApi(token, fixture.base, 'compared\n');
    const range = `${TODO}/compare/${fixture.base}...${commit}`;
    const compared = await fixture.api('GET', range, { token });
    expect(compared.data).toMatchObject({
      status: 'ahead',
      ahead_by: 1,
      files: [{ filename: 'src/b.ts', status: 'added', additions: 1, patch: '@@ -0,0 +1 @@\n+compared' }],
    });
    const diff = await fixture.api('GET', range, { token, accept: 'application/vnd.github.diff' });
    expect(String(diff.data)).toContain('diff --git a/src/b.ts b/src/b.ts\nnew file mode 100644');
    await fixture.api('POST', `${TODO}/git/refs`, {
      token,
      body: { ref: 'refs/heads/compared', sha: commit },
    });
    const pull = await fixture.api('POST', `${TODO}/pulls`, {
      token,
      body: { title: 'C', head: 'compared', base: 'main' },
    });
    const { number } = pull.data as { number: number };
    expect(pull.data).toMatchObject({
      changed_files: 1,
      additions: 1,
      commits: 1,
      user: { login: 'penstock[bot]' },
    });
    expect((await fixture.api('GET', `${TODO}/pulls/${number}/files`, { token })).data).toMatchObject([
      { filename: 'src/b.ts' },
    ]);
  });
});
