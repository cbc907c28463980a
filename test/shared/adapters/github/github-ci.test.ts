import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createGithubCodeHost } from '../../../../shared/adapters/github/github-code-host.ts';
import type { CodeHost, RepositoryRef } from '../../../../shared/ports/code-host.ts';
import { silent } from '../../../support/engine.ts';
import type { Github } from '../../../support/github/github-driver.ts';
import { startGithub } from '../../../support/github/start-github.ts';

describe('What others say about a commit on GitHub', () => {
  const repository: RepositoryRef = { host: 'github', repository: 'acme/todo' };
  let directory: string;
  let github: Github;
  let host: CodeHost;
  let parent: string;
  let sha: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'github-ci-'));
    github = await startGithub({ directory });
    const { headSha } = await github.addRepository({ owner: 'acme', name: 'todo', files: { a: 'a\n' } });
    parent = headSha ?? '';
    const { id: appId, privateKey } = github.app;
    host = createGithubCodeHost({ appId, privateKey, apiUrl: github.url, log: silent });
  });
  beforeEach(async () => {
    const changes = [{ path: 'a', mode: '100644' as const, content: Buffer.from(String(Math.random())) }];
    sha = await host.writeCommit(repository, { parent, message: 'A head', changes });
  });
  afterAll(async () => {
    await github.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const check = (name: string, conclusion?: string, more: object = {}) =>
    github.check('acme/todo', { sha, name, ...(conclusion === undefined ? {} : { conclusion }), ...more });
  const status = (context: string, state: 'pending' | 'success' | 'failure' | 'error', description = '') =>
    github.status('acme/todo', { sha, context, state, description, target_url: `https://ci/${context}` });
  const read = () => host.readCi(repository, sha);

  it('is nothing where only we have a check run', async () => {
    const ours = { name: 'Penstock', headSha: sha, externalId: 'x', title: 't', summary: 's' };
    await host.createCheckRun(repository, { ...ours, status: 'in_progress' });
    expect(await read()).toEqual({ state: 'none', failures: [], pending: [] });
  });

  it('is green where all of theirs passed, or did not have to', async () => {
    for (const conclusion of ['success', 'neutral', 'skipped']) await check(conclusion, conclusion);
    expect(await read()).toEqual({ state: 'green', failures: [], pending: [] });
  });

  it('is pending where one is under way, was cancelled or waits for a person', async () => {
    const open = ['queued', 'cancelled', 'action_required'];
    await check('lint', 'success');
    for (const name of open) await check(name, name === 'queued' ? undefined : name);
    const { state, pending } = await read();
    expect({ state, pending: pending.toSorted() }).toEqual({
      state: 'pending',
      pending: ['Some CI', ...open].toSorted(),
    });
  });

  it('is pending while more check runs are to come, though those of now are over', async () => {
    await check('build', 'success', { unfinished: true });
    expect(await read()).toEqual({ state: 'pending', failures: [], pending: ['Some CI'] });
    await check('test', 'success');
    expect((await read()).state).toBe('green');
  });

  it('is red where one failed, whatever the others do', async () => {
    await check('lint');
    await check('slow', 'timed_out');
    await check('test', 'failure', { title: '2 failed', summary: 'a.test.ts\nb.test.ts' });
    const { state, failures } = await read();
    expect(state).toBe('red');
    expect(failures.map(({ name, summary }) => ({ name, summary }))).toEqual(
      expect.arrayContaining([
        { name: 'slow', summary: 'timed_out' },
        { name: 'test', summary: '2 failed\na.test.ts\nb.test.ts' },
      ]),
    );
  });

  it('counts commit statuses too, the newest of each context', async () => {
    status('ci/build', 'pending');
    expect(await read()).toEqual({ state: 'pending', failures: [], pending: ['ci/build'] });
    status('ci/build', 'error', 'no runner');
    const failure = { name: 'ci/build', summary: 'no runner', url: 'https://ci/ci/build' };
    expect(await read()).toEqual({ state: 'red', failures: [failure], pending: [] });
    status('ci/build', 'success');
    expect((await read()).state).toBe('green');
  });

  it('reads all pages, and names no more than 20', async () => {
    const stateOf = (n: number) => (n === 100 ? 'failure' : n < 25 ? 'pending' : 'success');
    for (let n = 0; n <= 100; n += 1) status(`ci/${n}`, stateOf(n));
    const { state, failures, pending } = await read();
    expect({ state, failures: failures.map(({ name }) => name), pending: pending.length }).toEqual({
      state: 'red',
      failures: ['ci/100'],
      pending: 20,
    });
  });

  it('is refused for a commit that is not there', async () => {
    await expect(host.readCi(repository, 'deadbeef'.repeat(5))).rejects.toMatchObject({ retry: 'never' });
  });
});
