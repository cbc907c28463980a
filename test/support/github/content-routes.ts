import type { Context, Hono } from 'hono';
import type { TreeItem } from './bare-repository.ts';
import { apiUrl, commitJson } from './git-data-routes.ts';
import { changedFiles, diff } from './pull-requests.ts';
import { Refusal } from './refusal.ts';
import { enter, type StandInRepository, type World } from './world.ts';

/** Larger files have no content in JSON, as on GitHub. */
const MAX_JSON_FILE_BYTES = 1024 * 1024;
const MAX_COMPARED_FILES = 300;

/** Contents, commits and comparisons, read from git. */
export function addContentRoutes(app: Hono, world: World): void {
  app.get('/repos/:owner/:repo/contents/:path{.*}', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    return readContents(world, context, repository);
  });
  app.get('/repos/:owner/:repo/compare/:range{.+}', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    return compare(context, repository);
  });
  app.get('/repos/:owner/:repo/commits/:ref{[^/]+}', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    const commit = await repository.git.commit(await mustResolve(repository, context.req.param('ref'), 422));
    if (commit === undefined) throw new Refusal(422, `No commit found for SHA: ${context.req.param('ref')}`);
    const { sha, parents, ...rest } = commitJson(world, repository, commit);
    return context.json({ sha, commit: rest, parents });
  });
}

async function mustResolve(repository: StandInRepository, ref: string, status: 404 | 422): Promise<string> {
  const candidates = [`${ref}^{commit}`, `refs/heads/${ref}^{commit}`];
  for (const candidate of candidates) {
    const sha = await repository.git.resolve(candidate);
    if (sha !== undefined) return sha;
  }
  throw new Refusal(status, status === 404 ? 'Not Found' : `No commit found for SHA: ${ref}`);
}

async function readContents(
  world: World,
  context: Context,
  repository: StandInRepository,
): Promise<Response> {
  const path = (context.req.param('path') ?? '').replace(/\/$/, '');
  const commit = await mustResolve(repository, context.req.query('ref') ?? 'main', 404);
  const items = await repository.git.tree(commit, true);
  const item = items.find((candidate) => candidate.path === path);
  if (path === '' || item?.type === 'tree') {
    const inside = items.filter((candidate) => parentOf(candidate.path) === path);
    return context.json(inside.map((child) => entryJson(world, repository, child)));
  }
  if (item === undefined) throw new Refusal(404, 'Not Found');
  const bytes = await repository.git.blob(item.sha);
  if (/\.raw\b/.test(context.req.header('accept') ?? '')) return context.body(Uint8Array.from(bytes));
  const content =
    bytes.length > MAX_JSON_FILE_BYTES
      ? { content: '', encoding: 'none' }
      : { content: bytes.toString('base64'), encoding: 'base64' };
  return context.json({ ...entryJson(world, repository, item), ...content });
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function entryJson(world: World, repository: StandInRepository, item: TreeItem) {
  const types: Record<string, string> = { '040000': 'dir', '120000': 'symlink', '160000': 'submodule' };
  return {
    type: types[item.mode] ?? 'file',
    name: item.path.slice(item.path.lastIndexOf('/') + 1),
    path: item.path,
    sha: item.sha,
    size: item.size ?? 0,
    url: apiUrl(world, repository, `contents/${item.path}`),
    git_url: apiUrl(world, repository, `git/${item.type}s/${item.sha}`),
  };
}

async function compare(context: Context, repository: StandInRepository): Promise<Response> {
  const [left = '', right = ''] = context.req.param('range')?.split('...') ?? [];
  const base = await mustResolve(repository, left, 404);
  const head = await mustResolve(repository, right, 404);
  const mergeBase = await repository.git.git(['merge-base', base, head]).catch(() => undefined);
  if (mergeBase === undefined) throw new Refusal(404, `No common ancestor between ${left} and ${right}.`);
  const accept = context.req.header('accept') ?? '';
  if (/\.(?:diff|patch)\b/.test(accept)) {
    const text = await diff(repository, base, head);
    const headers = { 'content-type': 'application/vnd.github.diff; charset=utf-8' };
    return context.body(text === '' ? '' : `${text}\n`, 200, headers);
  }
  const count = async (range: string): Promise<number> =>
    Number(await repository.git.git(['rev-list', '--count', range]));
  const ahead = await count(`${base}..${head}`);
  const behind = await count(`${head}..${base}`);
  return context.json({
    status: statusOf(ahead, behind),
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    base_commit: { sha: base },
    merge_base_commit: { sha: mergeBase },
    files: (await changedFiles(repository, base, head)).slice(0, MAX_COMPARED_FILES),
  });
}

function statusOf(ahead: number, behind: number): string {
  if (ahead > 0 && behind > 0) return 'diverged';
  if (ahead > 0) return 'ahead';
  return behind > 0 ? 'behind' : 'identical';
}
