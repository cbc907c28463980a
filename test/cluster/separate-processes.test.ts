import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoFile, githubEnvironment, openTheIssue, runOf, setTheScene } from '../../functions/cli/demo.ts';
import type { MessagesServer } from '../../shared/adapters/script/messages-server.ts';
import { loadScript } from '../../shared/adapters/script/script-file.ts';
import { startScriptServer } from '../../shared/adapters/script/script-server.ts';
import type { RunView } from '../../shared/messages/run-view.ts';
import { builtPrograms } from '../support/built-programs.ts';
import { freePorts } from '../support/cluster/free-ports.ts';
import { type Cluster, startCluster } from '../support/cluster/start-cluster.ts';
import { generateRepositories } from '../support/generate-repository.ts';
import type { Github } from '../support/github/github-driver.ts';
import { startGithub } from '../support/github/start-github.ts';
import { group } from '../support/groups.ts';
import { openLabelledIssue, PERSON } from '../support/platform.ts';
import { startRuleModel } from '../support/rule-model.ts';
import { testsAt } from '../support/scripts/integration-bench.ts';

/** A dozen processes, and jobs, on a machine that runs other tests too. */
jest.setTimeout(300_000);
const ENDED_MS = 240_000;

group('emulators')("The system as separate processes on Google's emulators", () => {
  let folder: string;
  let github: Github;
  let cluster: Cluster;
  let model: MessagesServer;
  let modelPort: number;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-processes-'));
    github = await startGithub({ directory: join(folder, 'github') });
    [modelPort = 0] = await freePorts(1);
    model = await startScriptServer({ script: await loadScript(demoFile('script.yaml')), port: modelPort });
    cluster = await startCluster({
      ...builtPrograms(),
      sweepSeconds: 1,
      delivery: { minBackoffSeconds: 0.2, maxBackoffSeconds: 15 },
      env: {
        ...githubEnvironment(github),
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: 'no-key-is-needed',
        PENSTOCK_UNSAFE_NO_SANDBOX: '1',
        PENSTOCK_RETRY_BASE_SECONDS: '0.1',
        LOG_LEVEL: 'WARNING',
      },
    });
  });
  afterAll(async () => {
    await cluster.stop();
    await model.stop();
    await github.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function ended(run: string): Promise<RunView> {
    const until = Date.now() + ENDED_MS;
    for (;;) {
      const view = (await (await fetch(`${cluster.url}/api/runs/${run}`)).json()) as RunView;
      if (['succeeded', 'failed', 'cancelled'].includes(view.stage)) return view;
      if (Date.now() > until) throw new Error(`run ${run} is still ${view.stage} after ${ENDED_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  it("carries the demo's issue to a reviewed pull request", async () => {
    const repository = await setTheScene(github, cluster.url);
    await openTheIssue(github, repository);
    const run = await ended(runOf(github));
    expect([run.stage, run.reason]).toEqual(['succeeded', undefined]);
    expect(await github.pullRequests(repository)).toMatchObject([
      { draft: false, state: 'open', head: { ref: `penstock/${run.id}` } },
    ]);
    expect(await testsAt(github.gitDirectory(repository), `penstock/${run.id}`)).toBe(0);
    const jobs = cluster.standIns.run.executions();
    expect(jobs.length).toBeGreaterThan(1);
    expect(cluster.standIns.storage.unpublished).toEqual([]);
  });

  it('solves by rule what no script knows', async () => {
    await model.stop();
    model = await startRuleModel(modelPort);
    const [generated] = generateRepositories(Number(process.env['PENSTOCK_SEED'] ?? 20), 1);
    const { files = {}, name = '' } = generated ?? {};
    const { repository } = await github.addRepository({ owner: 'acme', name, files });
    github.setPermission(repository, PERSON, 'write');
    const { runId } = await openLabelledIssue(github, repository, 'Make the failing tests pass');
    expect(await ended(runId)).toMatchObject({ stage: 'succeeded' });
    expect(await testsAt(github.gitDirectory(repository), 'main')).not.toBe(0);
    expect(await testsAt(github.gitDirectory(repository), `penstock/${runId}`)).toBe(0);
  });
});
