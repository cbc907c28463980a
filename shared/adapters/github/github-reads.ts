import type { CodeHost, RepositoryRef, TreeEntry } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { GithubClient } from './github-client.ts';
import { ownerAndRepo } from './github-tokens.ts';

interface TreeItem {
  path: string;
  mode: string;
  type: string;
  sha: string;
  size?: number | undefined;
}

interface Tree {
  items: TreeItem[];
  truncated: boolean;
}

type Reads = Pick<
  CodeHost,
  | 'defaultBranch'
  | 'readBranch'
  | 'readCommit'
  | 'readTree'
  | 'readFile'
  | 'permission'
  | 'readThread'
  | 'diff'
  | 'cloneAccess'
>;

/** Trees never change, and an agent that reads files reads many of one commit. */
const MAX_KEPT_TREES = 8;
const SHA = /^[0-9a-f]{40}$/;
const MODES = new Set(['100644', '100755', '120000', '160000']);

export function createReads(client: GithubClient, apiUrl: string): Reads {
  const treeOf = createTreeReader(client);
  return {
    async defaultBranch(repository) {
      const found = await unlessMissing(client.call(repository, 'GET /repos/{owner}/{repo}'));
      return found?.default_branch;
    },
    async readBranch(repository, branch) {
      const route = 'GET /repos/{owner}/{repo}/git/ref/{ref}';
      const found = await unlessMissing(client.call(repository, route, { ref: `heads/${branch}` }));
      return found?.object.sha;
    },
    async readCommit(repository, sha) {
      if (!SHA.test(sha)) return undefined;
      const route = 'GET /repos/{owner}/{repo}/git/commits/{commit_sha}';
      const found = await unlessMissing(client.call(repository, route, { commit_sha: sha }));
      return (
        found && {
          sha: found.sha,
          parents: found.parents.map((parent) => parent.sha),
          message: found.message,
        }
      );
    },
    async readTree(repository, sha, limit) {
      const { items, truncated } = await treeOf(repository, sha);
      const entries = items.flatMap((item) => toEntry(item) ?? []);
      return { entries: entries.slice(0, limit), truncated: truncated || entries.length > limit };
    },
    async readFile(repository, sha, path, maxBytes) {
      const item = SHA.test(sha) ? await findFile(client, treeOf, { repository, sha, path }) : undefined;
      if (item === undefined) return undefined;
      if (item.size === 0 || maxBytes === 0) return new Uint8Array();
      const parameters = { file_sha: item.sha, mediaType: { format: 'raw' } };
      return client.read(repository, 'GET /repos/{owner}/{repo}/git/blobs/{file_sha}', parameters, maxBytes);
    },
    async permission(repository, login) {
      const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
      const found = await unlessMissing(client.call(repository, route, { username: login }));
      return toPermission(found?.permission);
    },
    async readThread(repository, issue) {
      const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}';
      const found = await unlessMissing(client.call(repository, route, { issue_number: issue }));
      return found && { title: found.title, body: found.body ?? '', author: found.user?.login ?? 'ghost' };
    },
    diff: (repository, base, head, maxBytes) => readDiff(client, repository, `${base}...${head}`, maxBytes),
    async cloneAccess(repository) {
      const { owner, repo } = ownerAndRepo(repository);
      const token = await client.token(repository, 'clone');
      const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
      return { url: `${webOrigin(apiUrl)}/${owner}/${repo}.git`, authorization: `Basic ${basic}` };
    },
  };
}

/** `undefined` for what GitHub does not have; 409 is what it says of refs in an empty repository. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const missing =
      error instanceof PenstockError && (error.code === 'not_found' || /\b409\b.*empty/i.test(error.message));
    if (missing) return undefined;
    throw error;
  }
}

type TreeReader = (repository: RepositoryRef, sha: string) => Promise<Tree>;

function createTreeReader(client: GithubClient): TreeReader {
  const kept = new Map<string, Promise<Tree>>();
  return (repository, sha) => {
    const key = `${repository.repository} ${sha}`;
    const reading = kept.get(key) ?? readTree(client, repository, sha, true);
    kept.delete(key);
    kept.set(key, reading);
    reading.catch(() => kept.delete(key));
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT_TREES && oldest !== undefined) kept.delete(oldest);
    return reading;
  };
}

async function readTree(
  client: GithubClient,
  repository: RepositoryRef,
  sha: string,
  recursive: boolean,
): Promise<Tree> {
  const parameters = { tree_sha: sha, ...(recursive ? { recursive: '1' } : {}) };
  const data = await client.call(repository, 'GET /repos/{owner}/{repo}/git/trees/{tree_sha}', parameters);
  return { items: data.tree, truncated: data.truncated };
}

/** A regular file; where GitHub cut the recursive listing, by walking down its folders. */
async function findFile(
  client: GithubClient,
  treeOf: TreeReader,
  { repository, sha, path }: { repository: RepositoryRef; sha: string; path: string },
): Promise<TreeItem | undefined> {
  const tree = await unlessMissing(treeOf(repository, sha));
  const listed = tree?.items.find((item) => item.path === path);
  const found = listed ?? (tree?.truncated === true ? await walk(client, repository, sha, path) : undefined);
  return found?.mode.startsWith('100') === true ? found : undefined;
}

async function walk(
  client: GithubClient,
  repository: RepositoryRef,
  sha: string,
  path: string,
): Promise<TreeItem | undefined> {
  let item: TreeItem | undefined;
  let folder = sha;
  for (const name of path.split('/')) {
    if (item !== undefined && item.type !== 'tree') return undefined;
    const { items } = await readTree(client, repository, folder, false);
    item = items.find((candidate) => candidate.path === name);
    if (item === undefined) return undefined;
    folder = item.sha;
  }
  return item;
}

function toEntry(item: TreeItem): TreeEntry | undefined {
  const { path, mode, size = 0 } = item;
  return isMode(mode) ? { path, mode, bytes: size } : undefined;
}

function isMode(mode: string): mode is TreeEntry['mode'] {
  return MODES.has(mode);
}

function toPermission(name: string | undefined): 'admin' | 'write' | 'read' | 'none' {
  return name === 'admin' || name === 'write' || name === 'read' ? name : 'none';
}

async function readDiff(
  client: GithubClient,
  repository: RepositoryRef,
  basehead: string,
  maxBytes: number,
): Promise<string> {
  const route = 'GET /repos/{owner}/{repo}/compare/{basehead}';
  try {
    const parameters = { basehead, mediaType: { format: 'diff' } };
    return new TextDecoder().decode(await client.read(repository, route, parameters, maxBytes));
  } catch (error) {
    // GitHub makes no diff of very many lines, but still lists the files with their patches.
    if (!(error instanceof PenstockError) || !/\b406\b/.test(error.message)) throw error;
    const { files = [] } = await client.call(repository, route, { basehead });
    const texts = files.map(
      (file) => `diff --git a/${file.filename} b/${file.filename}\n${file.patch ?? ''}\n`,
    );
    return texts.join('').slice(0, maxBytes);
  }
}

/** Where repositories are cloned from: never taken from an answer. */
function webOrigin(apiUrl: string): string {
  const { origin, hostname } = new URL(apiUrl);
  return hostname === 'api.github.com' ? 'https://github.com' : origin;
}
