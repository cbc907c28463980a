import type { CodeHost, PullRequest, RepositoryRef } from '../../ports/code-host.ts';
import type { GithubClient } from './github-client.ts';
import { ownerAndRepo } from './github-tokens.ts';
import { hasReason } from './translate-error.ts';

/** Stands for a draft where the repository's plan has none. */
const WORK_IN_PROGRESS = '[WIP] ';
const MARK_READY = `mutation ($id: ID!) {
  markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } }
}`;

type PullRequests = Pick<
  CodeHost,
  'findPullRequest' | 'createPullRequest' | 'updatePullRequest' | 'markReady'
>;

export function createPullRequests(client: GithubClient): PullRequests {
  const read = (repository: RepositoryRef, number: number) =>
    client.call(repository, 'GET /repos/{owner}/{repo}/pulls/{pull_number}', { pull_number: number });
  const update: CodeHost['updatePullRequest'] = async (repository, number, change) => {
    await client.call(repository, 'PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
      pull_number: number,
      ...change,
    });
  };
  return {
    async findPullRequest(repository, headBranch) {
      const head = `${ownerAndRepo(repository).owner}:${headBranch}`;
      const newest = { head, state: 'all', sort: 'created', direction: 'desc', per_page: 1 };
      const [found] = await client.call(repository, 'GET /repos/{owner}/{repo}/pulls', newest);
      return found && toPullRequest(found);
    },
    async createPullRequest(repository, { headBranch: head, baseBranch: base, title, body }) {
      const create = async (more: { title: string; draft: boolean }): Promise<PullRequest> =>
        toPullRequest(
          await client.call(repository, 'POST /repos/{owner}/{repo}/pulls', { head, base, body, ...more }),
        );
      try {
        return await create({ title, draft: true });
      } catch (error) {
        if (!hasReason(error, /draft pull requests are not supported/i)) throw error;
        return create({ title: `${WORK_IN_PROGRESS}${title}`, draft: false });
      }
    },
    async updatePullRequest(repository, number, change) {
      const marked = change.title !== undefined && isMarked((await read(repository, number)).title);
      await update(
        repository,
        number,
        marked ? { ...change, title: `${WORK_IN_PROGRESS}${change.title}` } : change,
      );
    },
    async markReady(repository, number) {
      const pull = await read(repository, number);
      if (pull.draft === true) await client.graphql(repository, MARK_READY, { id: pull.node_id });
      if (isMarked(pull.title))
        await update(repository, number, { title: pull.title.slice(WORK_IN_PROGRESS.length) });
    },
  };
}

function isMarked(title: string): boolean {
  return title.startsWith(WORK_IN_PROGRESS);
}

function toPullRequest(pull: {
  number: number;
  html_url: string;
  state: string;
  title: string;
  merged_at: string | null;
  draft?: boolean | undefined;
  head: { sha: string };
}): PullRequest {
  const open = pull.state === 'open' ? 'open' : 'closed';
  return {
    number: pull.number,
    url: pull.html_url,
    state: pull.merged_at === null ? open : 'merged',
    draft: pull.draft === true || isMarked(pull.title),
    headSha: pull.head.sha,
  };
}
