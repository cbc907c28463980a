import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoFile, githubEnvironment, openTheIssue, runOf, setTheScene } from '../../functions/cli/demo.ts';
import { startUp, type Up } from '../../functions/local/up.ts';
import type { RunView } from '../../shared/messages/run-view.ts';
import type { Github } from '../support/github/github-driver.ts';
import { startGithub } from '../support/github/start-github.ts';
import { inProcess } from '../support/platform.ts';
import { runPenstock } from '../support/run-penstock.ts';

/** Two whole demos on a busy machine. */
jest.setTimeout(300_000);

interface Outcome {
  run: RunView;
  /** Ids and hashes of this run alone, replaced. */
  title: string;
  body: string;
  state: object;
  /** What the branch holds, by git. */
  files: string;
  comments: number;
}

inProcess(describe, 'the runner is for local mode')('the demo, driven by workflows/requirement.yaml', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-driven-demo-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function play(driver: string, meanwhile: (up: Up, run: string) => Promise<void>): Promise<Outcome> {
    const github = await startGithub({ directory: join(folder, driver, 'github') });
    const up = await startUp({
      port: 0,
      data: join(folder, driver),
      model: `script:${demoFile('script.yaml')}`,
      quiet: true,
      env: { PATH: process.env['PATH'], PENSTOCK_DRIVER: driver, ...githubEnvironment(github) },
    });
    try {
      const repository = await setTheScene(github, up.url);
      if (driver !== 'direct') await askForApproval(up);
      const { number } = await openTheIssue(github, repository);
      const run = runOf(github);
      await meanwhile(up, run);
      const ended = await until(async () => {
        const view = await readRun(up, run);
        return ['succeeded', 'failed', 'cancelled'].includes(view.stage) ? view : undefined;
      });
      await up.settled();
      return await outcome(github, { repository, issue: number, run: ended });
    } finally {
      await up.stop();
      await github.stop();
    }
  }

  const readRun = async (up: Up, run: string): Promise<RunView> =>
    (await (await fetch(`${up.url}/api/runs/${run}`)).json()) as RunView;
  const until = async <T>(read: () => Promise<T | undefined>): Promise<T> => {
    for (const deadline = Date.now() + 100_000; Date.now() < deadline;) {
      const found = await read();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('it did not happen');
  };

  async function askForApproval(up: Up): Promise<void> {
    const answer = await fetch(`${up.url}/api/tenants/local`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': '*' },
      body: JSON.stringify({ licence: {}, settings: { decisions: { approve_plan: 'ask' } }, members: [] }),
    });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('approve_plan')]);
  }

  async function outcome(
    github: Github,
    { repository, issue, run }: { repository: string; issue: number; run: RunView },
  ): Promise<Outcome> {
    const [pull, ...more] = await github.pullRequests(repository);
    if (pull === undefined || more.length > 0)
      throw new Error(`run ${run.id} ${run.stage}: ${run.reason?.message ?? 'no single pull request'}`);
    const { title, body, state, draft, additions, deletions, changed_files, commits } = pull;
    const neutral = (text: string): string =>
      text.replaceAll(run.id, 'RUN').replaceAll(run.baseSha?.slice(0, 7) ?? '', 'BASE');
    const args = ['-C', github.gitDirectory(repository), 'ls-tree', '-r', `penstock/${run.id}`];
    return {
      run,
      title: neutral(title),
      body: neutral(body ?? ''),
      state: { state, draft, additions, deletions, changed_files, commits },
      files: execFileSync('git', args, { encoding: 'utf8' }),
      comments: (await github.comments(repository, issue)).length,
    };
  }

  it('and approved on the command line gives the same pull request as without a workflow', async () => {
    const approve = async (up: Up, run: string): Promise<void> => {
      const id = await until(async () => (await readRun(up, run)).decisions?.[0]);
      const env = { PENSTOCK_URL: up.url };
      const shown = await runPenstock(['decide'], { env });
      expect(shown.stdout).toContain(`npx penstock decide ${id} approve`);
      const answered = await runPenstock(['decide', id, 'approve'], { env });
      expect([answered.code, answered.stdout]).toEqual([0, expect.stringContaining('approve, by local')]);
    };
    // One after the other: two teams at once would miss their leases on a small machine.
    const direct = await play('direct', () => Promise.resolve());
    const driven = await play('requirement', approve);
    expect([direct.run.driver, driven.run.driver]).toEqual(['direct', 'requirement']);
    const { run: _one, ...expected } = direct;
    const { run: _other, ...got } = driven;
    expect(got).toEqual(expected);
    expect(driven.run).toMatchObject({ stage: 'succeeded', pullRequest: { ready: true } });
    const states = driven.run.history.map(({ state }) => state);
    expect([...new Set(states)]).toEqual([
      'accepted',
      'planning',
      'awaiting_approval',
      'executing',
      'integrating',
      'awaiting_review',
      'succeeded',
    ]);
  });
});
