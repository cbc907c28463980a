import type { CodeHost, FileChange, RepositoryRef } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { GithubClient } from './github-client.ts';
import { hasReason } from './translate-error.ts';

/** GitHub asks clients not to write in many requests at once. */
const MAX_PARALLEL_BLOBS = 4;

type Writes = Pick<CodeHost, 'writeCommit' | 'createBranch' | 'advanceBranch'>;

export function createWrites(client: GithubClient): Writes {
  return {
    async writeCommit(repository, { parent, message, changes }) {
      const base = await client.call(repository, 'GET /repos/{owner}/{repo}/git/commits/{commit_sha}', {
        commit_sha: parent,
      });
      const tree =
        changes.length === 0 ? base.tree.sha : await writeTree(client, repository, base.tree.sha, changes);
      // No author and no committer: that is when GitHub names the App and signs.
      const commit = { message, tree, parents: [parent] };
      return (await client.call(repository, 'POST /repos/{owner}/{repo}/git/commits', commit)).sha;
    },
    async createBranch(repository, branch, sha) {
      try {
        await client.call(repository, 'POST /repos/{owner}/{repo}/git/refs', {
          ref: `refs/heads/${branch}`,
          sha,
        });
        return 'created';
      } catch (error) {
        if (hasReason(error, /Reference already exists/i)) return 'exists';
        throw hasReason(error, /Object does not exist/i) ? unknownCommit(repository, sha) : error;
      }
    },
    async advanceBranch(repository, branch, sha) {
      const update = { ref: `heads/${branch}`, sha, force: false };
      try {
        await client.call(repository, 'PATCH /repos/{owner}/{repo}/git/refs/{ref}', update);
        return 'advanced';
      } catch (error) {
        if (hasReason(error, /not a fast.forward/i)) return 'conflict';
        if (hasReason(error, /Object does not exist/i)) throw unknownCommit(repository, sha);
        if (!hasReason(error, /Reference does not exist/i)) throw error;
        throw new PenstockError('not_found', `There is no branch ${branch} in ${repository.repository}`);
      }
    },
  };
}

async function writeTree(
  client: GithubClient,
  repository: RepositoryRef,
  base: string,
  changes: FileChange[],
): Promise<string> {
  const tree = await mapBounded(changes, async (change) => {
    const sha = change.content === undefined ? null : await writeBlob(client, repository, change.content);
    return { path: change.path, mode: change.mode, type: 'blob' as const, sha };
  });
  return (await client.call(repository, 'POST /repos/{owner}/{repo}/git/trees', { base_tree: base, tree }))
    .sha;
}

async function writeBlob(
  client: GithubClient,
  repository: RepositoryRef,
  content: Uint8Array,
): Promise<string> {
  const blob = { content: Buffer.from(content).toString('base64'), encoding: 'base64' };
  return (await client.call(repository, 'POST /repos/{owner}/{repo}/git/blobs', blob)).sha;
}

async function mapBounded<T, R>(items: T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += MAX_PARALLEL_BLOBS) {
    results.push(...(await Promise.all(items.slice(start, start + MAX_PARALLEL_BLOBS).map(map))));
  }
  return results;
}

function unknownCommit(repository: RepositoryRef, sha: string): PenstockError {
  return new PenstockError('not_found', `There is no commit ${sha} in ${repository.repository}`);
}
