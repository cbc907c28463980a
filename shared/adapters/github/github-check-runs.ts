import type { CheckRunUpdate, CodeHost } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { GithubClient } from './github-client.ts';

const PAGE = 100;
const MAX_PAGES = 10;

type CheckRuns = Pick<CodeHost, 'findCheckRun' | 'createCheckRun' | 'updateCheckRun'>;

export function createCheckRuns(client: GithubClient, appId: number): CheckRuns {
  return {
    async findCheckRun(repository, headSha, externalId) {
      const route = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        const list = { ref: headSha, app_id: appId, filter: 'all', per_page: PAGE, page };
        const { check_runs: runs } = await client.call(repository, route, list);
        const found = runs.find((run) => run.external_id === externalId);
        if (found !== undefined) {
          const { status, conclusion } = found;
          const id = Number(found.id);
          return conclusion === null ? { id, status } : { id, status, conclusion };
        }
        if (runs.length < PAGE) return undefined;
      }
      throw new PenstockError(
        'too_large',
        `Commit ${headSha} of ${repository.repository} has more than ${PAGE * MAX_PAGES} check runs of ours`,
      );
    },
    async createCheckRun(repository, check) {
      const body = { head_sha: check.headSha, ...toBody(check) };
      return {
        id: Number((await client.call(repository, 'POST /repos/{owner}/{repo}/check-runs', body)).id),
      };
    },
    async updateCheckRun(repository, id, check) {
      const route = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}';
      await client.call(repository, route, { check_run_id: id, ...toBody(check) });
    },
  };
}

function toBody(check: CheckRunUpdate) {
  return {
    name: check.name,
    external_id: check.externalId,
    status: check.status,
    ...(check.conclusion === undefined ? {} : { conclusion: check.conclusion }),
    ...(check.detailsUrl === undefined ? {} : { details_url: check.detailsUrl }),
    output: { title: check.title, summary: check.summary },
  };
}
