import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import type { MessagesServer } from '../../shared/adapters/script/messages-server.ts';
import { generateRepositories, withContract } from '../support/generate-repository.ts';
import { testsAt } from '../support/scripts/integration-bench.ts';
import { startRuleModel } from '../support/rule-model.ts';
import {
  isOnCluster,
  openLabelledIssue,
  type Platform,
  startGithubWith,
  startPlatform,
} from '../support/platform.ts';

const SEED = Number(process.env['PENSTOCK_SEED'] ?? 20);

/** What differs between repositories does not differ between places, and each costs a cluster of its own there. */
const REPOSITORIES = isOnCluster() ? 4 : 20;

/** One in four is tested as its manifest says, the others as their contract says. */
const repositories = generateRepositories(SEED, REPOSITORIES).map((repository, index) =>
  index % 4 === 0 ? repository : { ...repository, files: withContract(repository.files) },
);

describe(`a model that cannot know the answer, on repositories of seed ${SEED}`, () => {
  let model: MessagesServer;
  beforeAll(async () => {
    model = await startRuleModel();
  });
  afterAll(() => model.stop());

  it.each(repositories)(
    'solves $name ($kind) from a labelled issue to a ready pull request',
    async ({ files, name }) => {
      const { github, repository, folder } = await startGithubWith(files, name);
      const access = { provider: 'script', baseUrl: model.url, apiKey: 'rule' } as const;
      const platform: Platform = await startPlatform({ model: access, github });
      try {
        github.setWebhookUrl(`${platform.url}/webhooks/github`);
        const { issue, runId } = await openLabelledIssue(github, repository, 'Make the failing tests pass');
        const run = await platform.ended(runId);
        expect(run).toMatchObject({ stage: 'succeeded' });

        const [pull, ...others] = await github.pullRequests(repository);
        expect(others).toEqual([]);
        expect(pull).toMatchObject({ draft: false, state: 'open', head: { ref: `penstock/${runId}` } });
        expect(await testsAt(github.gitDirectory(repository), 'main')).not.toBe(0);
        expect(await testsAt(github.gitDirectory(repository), `penstock/${runId}`)).toBe(0);

        await platform.settled();
        expect(
          (await github.comments(repository, issue)).filter(({ body }) => body.includes(runId)),
        ).toHaveLength(1);
        expect(await github.checkRuns(repository)).toMatchObject([
          { status: 'completed', conclusion: 'success' },
        ]);
      } finally {
        await platform.stop();
        await github.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
