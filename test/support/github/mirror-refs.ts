import { describePullRequest, sendPullRequestEvent } from './pull-requests.ts';
import type { StandInRepository, World } from './world.ts';

/**
 * Brings emulate's branches to what git has, and open pull requests to their branches, with the
 * `pull_request.synchronize` event that follows. Called after everything that may have moved a ref.
 */
export async function mirrorRefs(world: World, repository: StandInRepository): Promise<void> {
  const truth = new Map(
    [...(await repository.git.refs('refs/heads/'))].map(([ref, sha]) => [
      ref.slice('refs/heads/'.length),
      sha,
    ]),
  );
  const { branches, refs } = world.emulated.state;
  for (const row of branches.findBy('repo_id', repository.id)) {
    if (!truth.has(String(row['name']))) branches.delete(row.id);
  }
  for (const row of refs.findBy('repo_id', repository.id)) {
    if (!truth.has(String(row['ref']).slice('refs/heads/'.length))) refs.delete(row.id);
  }
  for (const [name, sha] of truth) {
    const branch = branches.findBy('repo_id', repository.id).find((row) => row['name'] === name);
    const ref = refs.findBy('repo_id', repository.id).find((row) => row['ref'] === `refs/heads/${name}`);
    if (branch?.['sha'] === sha && ref?.['sha'] === sha) continue;
    if (branch === undefined) branches.insert({ repo_id: repository.id, name, sha, protected: false });
    else branches.update(branch.id, { sha });
    if (ref === undefined)
      refs.insert({ repo_id: repository.id, ref: `refs/heads/${name}`, sha, node_id: '' });
    else refs.update(ref.id, { sha });
    await followBranch(world, repository, name, sha);
  }
}

async function followBranch(
  world: World,
  repository: StandInRepository,
  branch: string,
  sha: string,
): Promise<void> {
  const { pullRequests } = world.emulated.state;
  for (const row of pullRequests.findBy('repo_id', repository.id)) {
    if (row['state'] !== 'open' || row['head_ref'] !== branch || row['head_sha'] === sha) continue;
    pullRequests.update(row.id, {
      head_sha: sha,
      ...(await describePullRequest(repository, String(row['base_ref']), sha)),
    });
    sendPullRequestEvent(world, repository, Number(row['number']), 'synchronize', {
      before: row['head_sha'],
      after: sha,
    });
  }
}
