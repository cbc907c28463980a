import type { CiEvidence, CodeHost, RepositoryRef } from '../../ports/code-host.ts';
import type { GithubClient } from './github-client.ts';

const PAGE = 100;
const MAX_PAGES = 10;
const MAX_NAMED = 20;
const MAX_SUMMARY_CHARS = 4_000;

const PASSED = new Set(['success', 'neutral', 'skipped']);
/** No verdict on the commit: nothing that is changed in it would mend these. */
const UNDECIDED = new Set(['action_required', 'cancelled', 'stale']);

/** One voice about a commit. */
interface Check {
  name: string;
  state: 'pending' | 'green' | 'red';
  summary: string;
  url: string;
}

/** What check runs, check suites and commit statuses of others say. */
export function createCi(client: GithubClient, appId: number): Pick<CodeHost, 'readCi'> {
  return {
    async readCi(repository, headSha) {
      const checks = await Promise.all([
        readCheckRuns(client, appId, repository, headSha),
        readOpenSuites(client, appId, repository, headSha),
        readStatuses(client, repository, headSha),
      ]);
      return evidenceOf(checks.flat());
    },
  };
}

async function readCheckRuns(
  client: GithubClient,
  appId: number,
  repository: RepositoryRef,
  ref: string,
): Promise<Check[]> {
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs';
  const runs = await allPages(
    async (page) =>
      (await client.call(repository, route, { ref, filter: 'latest', per_page: PAGE, page })).check_runs,
  );
  return runs
    .filter(({ app }) => app?.id !== appId)
    .map(({ name, status, conclusion, output, details_url: details, html_url: html }) => ({
      name,
      state: status === 'completed' ? stateOf(conclusion) : 'pending',
      summary: [output.title, output.summary].filter(Boolean).join('\n') || (conclusion ?? status),
      url: details ?? html ?? '',
    }));
}

/** Jobs that wait for others have no check run yet: only the suite tells that more is to come. One without any run never began. */
async function readOpenSuites(
  client: GithubClient,
  appId: number,
  repository: RepositoryRef,
  ref: string,
): Promise<Check[]> {
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}/check-suites';
  const suites = await allPages(
    async (page) => (await client.call(repository, route, { ref, per_page: PAGE, page })).check_suites,
  );
  return suites
    .filter(
      ({ app, status, latest_check_runs_count: runs }) =>
        app?.id !== appId && status !== 'completed' && runs > 0,
    )
    .map(({ app }) => ({ name: app?.name ?? 'a check suite', state: 'pending', summary: '', url: '' }));
}

async function readStatuses(client: GithubClient, repository: RepositoryRef, ref: string): Promise<Check[]> {
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}/status';
  const statuses = await allPages(
    async (page) => (await client.call(repository, route, { ref, per_page: PAGE, page })).statuses,
  );
  return statuses.map(({ context, state, description, target_url: url }) => ({
    name: context,
    state: state === 'pending' ? 'pending' : stateOf(state),
    summary: description ?? state,
    url: url ?? '',
  }));
}

async function allPages<T>(read: (page: number) => Promise<T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const items = await read(page);
    all.push(...items);
    if (items.length < PAGE) break;
  }
  return all;
}

function stateOf(conclusion: string | null): Check['state'] {
  if (conclusion === null || UNDECIDED.has(conclusion)) return 'pending';
  return PASSED.has(conclusion) ? 'green' : 'red';
}

function evidenceOf(checks: Check[]): CiEvidence {
  const red = checks.filter(({ state }) => state === 'red').slice(0, MAX_NAMED);
  const pending = checks.filter(({ state }) => state === 'pending').slice(0, MAX_NAMED);
  return {
    state: red.length > 0 ? 'red' : pending.length > 0 ? 'pending' : checks.length > 0 ? 'green' : 'none',
    failures: red.map(({ name, summary, url }) => ({
      name,
      summary: summary.slice(0, MAX_SUMMARY_CHARS),
      url,
    })),
    pending: pending.map(({ name }) => name),
  };
}
