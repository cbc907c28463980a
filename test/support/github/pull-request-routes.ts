import type { Context, Hono } from 'hono';
import type { Caller } from './access.ts';
import { checkText } from './content-limits.ts';
import { mirrorRefs } from './mirror-refs.ts';
import {
  changedFiles,
  describePullRequest,
  findPullRequestRow,
  pullRequestJson,
  sendPullRequestEvent,
} from './pull-requests.ts';
import { Refusal, validationFailed } from './refusal.ts';
import { askEmulate, enter, pageOf, readBody, type StandInRepository, type World } from './world.ts';

type Json = Record<string, unknown>;

/** Pull requests: kept by emulate, after checks against git that emulate does not make. */
export function addPullRequestRoutes(app: Hono, world: World): void {
  app.post('/repos/:owner/:repo/pulls', async (context) => {
    const { repository, caller } = await enter(world, context, 'write', 'pull_requests');
    return createPullRequest(world, context, repository, caller);
  });
  app.patch('/repos/:owner/:repo/pulls/:number', async (context) => {
    const { caller } = await enter(world, context, 'write', 'pull_requests');
    const body = await readBody(context);
    checkText('PullRequest', body);
    // GitHub takes no `draft` here: only GraphQL leads out of draft.
    delete body['draft'];
    return askEmulate(world, caller, new URL(context.req.url).pathname, { method: 'PATCH', body });
  });
  app.get('/repos/:owner/:repo/pulls/:number/files', async (context) => {
    const { repository } = await enter(world, context, 'read', 'pull_requests');
    const { base, head } = ends(world, context, repository);
    return context.json(pageOf(context, await changedFiles(repository, base, head)));
  });
  app.get('/repos/:owner/:repo/pulls/:number/commits', async (context) => {
    const { repository } = await enter(world, context, 'read', 'pull_requests');
    const { base, head } = ends(world, context, repository);
    const shas = (await repository.git.git(['rev-list', '--reverse', `${base}..${head}`]))
      .split('\n')
      .filter(Boolean);
    const commits = await Promise.all(pageOf(context, shas).map((sha) => repository.git.commit(sha)));
    return context.json(
      commits.map((commit) => ({
        sha: commit?.sha,
        commit,
        parents: commit?.parents.map((sha) => ({ sha })),
      })),
    );
  });
  app.put('/repos/:owner/:repo/pulls/:number/merge', async (context) => {
    const { repository, caller } = await enter(world, context, 'write', 'contents');
    const number = Number(context.req.param('number'));
    const sha = await mergePullRequest(
      world,
      repository,
      number,
      caller.kind === 'user' ? caller.login : undefined,
    );
    return context.json({ sha, merged: true, message: 'Pull Request successfully merged' });
  });
}

async function createPullRequest(
  world: World,
  context: Context,
  repository: StandInRepository,
  caller: Caller,
): Promise<Response> {
  const body = await readBody(context);
  checkText('PullRequest', body);
  await checkEnds(world, repository, body);
  if (body['draft'] === true && !repository.drafts) {
    throw new Refusal(422, 'Draft pull requests are not supported in this repository.');
  }
  const answer = await askEmulate(world, caller, `/repos/${repository.fullName}/pulls`, {
    method: 'POST',
    body,
  });
  if (answer.status !== 201) return answer;
  const { number, base, head } = (await answer.json()) as {
    number: number;
    base: { ref: string };
    head: { sha: string };
  };
  const row = findPullRequestRow(world, repository, number);
  if (row !== undefined)
    world.emulated.state.pullRequests.update(
      row.id,
      await describePullRequest(repository, base.ref, head.sha),
    );
  return context.json(await pullRequestJson(world, repository, number), 201);
}

async function checkEnds(world: World, repository: StandInRepository, body: Json): Promise<void> {
  if (typeof body['title'] !== 'string' || body['title'].trim() === '') throw missing('title');
  const head = branchName(repository, body['head']);
  const base = branchName(repository, body['base']);
  const headSha = head === undefined ? undefined : await repository.git.resolve(`refs/heads/${head}`);
  const baseSha = base === undefined ? undefined : await repository.git.resolve(`refs/heads/${base}`);
  if (headSha === undefined)
    throw new Refusal(422, 'Validation Failed', [
      { resource: 'PullRequest', field: 'head', code: 'invalid' },
    ]);
  if (baseSha === undefined)
    throw new Refusal(422, 'Validation Failed', [
      { resource: 'PullRequest', field: 'base', code: 'invalid' },
    ]);
  const ahead = await repository.git.git(['rev-list', '--count', `${baseSha}..${headSha}`]);
  if (ahead === '0') throw validationFailed('PullRequest', `No commits between ${base} and ${head}`);
  const rows = world.emulated.state.pullRequests.findBy('repo_id', repository.id);
  const open = rows.some(
    (row) => row['state'] === 'open' && row['head_ref'] === head && row['base_ref'] === base,
  );
  if (open)
    throw validationFailed('PullRequest', `A pull request already exists for ${repository.owner}:${head}.`);
}

/** `branch` or `owner:branch`; forks are not part of the stand-in. */
function branchName(repository: StandInRepository, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const prefix = `${repository.owner}:`;
  return value.startsWith(prefix) ? value.slice(prefix.length) : value;
}

function missing(field: string): Refusal {
  return new Refusal(422, 'Validation Failed', [{ resource: 'PullRequest', field, code: 'missing_field' }]);
}

function ends(world: World, context: Context, repository: StandInRepository): { base: string; head: string } {
  const row = findPullRequestRow(world, repository, Number(context.req.param('number')));
  if (row === undefined) throw new Refusal(404, 'Not Found');
  return { base: String(row['base_sha']), head: String(row['head_sha']) };
}

/** A merge commit in git, and the pull request closed as merged. */
export async function mergePullRequest(
  world: World,
  repository: StandInRepository,
  number: number,
  by?: string,
): Promise<string> {
  const row = findPullRequestRow(world, repository, number);
  if (row === undefined) throw new Refusal(404, 'Not Found');
  if (row['state'] !== 'open' || row['draft'] === true)
    throw new Refusal(405, 'Pull Request is not mergeable');
  const baseRef = `refs/heads/${String(row['base_ref'])}`;
  const base = (await repository.git.resolve(baseRef)) ?? '';
  const head = String(row['head_sha']);
  if (!(await repository.git.ok(['merge-tree', '--write-tree', base, head])))
    throw new Refusal(405, 'Pull Request is not mergeable');
  const tree = (await repository.git.git(['merge-tree', '--write-tree', base, head])).split('\n')[0] ?? '';
  const person = { name: by ?? 'GitHub', email: `${by ?? 'noreply'}@users.noreply.github.com` };
  const message = `Merge pull request #${number} from ${repository.owner}/${String(row['head_ref'])}`;
  const sha = await repository.git.writeCommit({
    tree,
    parents: [base, head],
    message,
    author: person,
    committer: person,
  });
  await repository.git.updateRef(baseRef, sha, base);
  const now = new Date().toISOString();
  const merged = { state: 'closed', merged: true, merged_at: now, closed_at: now, merge_commit_sha: sha };
  world.emulated.state.pullRequests.update(row.id, merged);
  await mirrorRefs(world, repository);
  sendPullRequestEvent(world, repository, number, 'closed', {}, by);
  return sha;
}
