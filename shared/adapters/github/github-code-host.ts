import type { CodeHost } from '../../ports/code-host.ts';
import { createCheckRuns } from './github-check-runs.ts';
import { createCi } from './github-ci.ts';
import { createGithubClient, type GithubCodeHostConfig } from './github-client.ts';
import { createComments } from './github-comments.ts';
import { createPullRequests } from './github-pull-requests.ts';
import { createReads } from './github-reads.ts';
import { createWrites } from './github-writes.ts';

export type { GithubCodeHostConfig } from './github-client.ts';

/** GitHub through a GitHub App. Each call carries a token for its one repository and for what it needs there. */
export function createGithubCodeHost(config: GithubCodeHostConfig): CodeHost {
  const client = createGithubClient(config);
  return {
    host: 'github',
    hasPullRequests: true,
    ...createReads(client, config.apiUrl),
    ...createWrites(client),
    ...createPullRequests(client),
    ...createComments(client, config.appId),
    ...createCheckRuns(client, config.appId),
    ...createCi(client, config.appId),
  };
}
