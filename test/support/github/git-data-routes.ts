import type { Context, Hono } from 'hono';
import type { Commit, Person } from './bare-repository.ts';
import { Refusal } from './refusal.ts';
import { enter, readBody, type StandInRepository, type World } from './world.ts';

const MAX_BLOB_BYTES = 40 * 1024 * 1024;
const MAX_TREE_ENTRIES = 100_000;
const SHA = /^[0-9a-f]{40}$/;
/** Names that git or a file system reads as `.git`. */
const GIT_FOLDER = /^(?:\.git|git~\d+)[\s.]*$/i;
const TYPE_OF_MODE: Record<string, 'blob' | 'tree' | 'commit'> = {
  '100644': 'blob',
  '100755': 'blob',
  '120000': 'blob',
  '040000': 'tree',
  '160000': 'commit',
};

/** The Git Data API on the bare repository itself, so that an API call and a clone cannot disagree. */
export function addGitDataRoutes(app: Hono, world: World): void {
  app.post('/repos/:owner/:repo/git/blobs', async (context) => {
    const { repository } = await enter(world, context, 'write', 'contents');
    const sha = await repository.git.writeBlob(blobContent(await readBody(context)));
    return context.json({ sha, url: apiUrl(world, repository, `git/blobs/${sha}`) }, 201);
  });
  app.get('/repos/:owner/:repo/git/blobs/:sha', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    return readBlob(world, context, repository);
  });
  app.post('/repos/:owner/:repo/git/trees', async (context) => {
    const { repository } = await enter(world, context, 'write', 'contents');
    const sha = await createTree(repository, await readBody(context));
    return context.json(await treeJson(world, repository, sha, false), 201);
  });
  app.get('/repos/:owner/:repo/git/trees/:tree{.+}', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    const sha = await repository.git.resolve(`${context.req.param('tree')}^{tree}`);
    if (sha === undefined) throw new Refusal(404, 'Not Found');
    return context.json(await treeJson(world, repository, sha, context.req.query('recursive') !== undefined));
  });
  app.post('/repos/:owner/:repo/git/commits', async (context) => {
    const { repository } = await enter(world, context, 'write', 'contents');
    const sha = await createCommit(world, repository, await readBody(context));
    return context.json(commitJson(world, repository, await mustRead(repository, sha)), 201);
  });
  app.get('/repos/:owner/:repo/git/commits/:sha', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    return context.json(commitJson(world, repository, await mustRead(repository, context.req.param('sha'))));
  });
}

export function apiUrl(world: World, repository: StandInRepository, path: string): string {
  return `${world.url}/repos/${repository.fullName}/${path}`;
}

async function mustRead(repository: StandInRepository, sha: string): Promise<Commit> {
  const commit = SHA.test(sha) ? await repository.git.commit(sha) : undefined;
  if (commit === undefined) throw new Refusal(404, 'Not Found');
  return commit;
}

function blobContent(body: Record<string, unknown>): Buffer {
  const { content, encoding = 'utf-8' } = body;
  if (typeof content !== 'string') throw new Refusal(422, 'Invalid request.\n\n"content" wasn\'t supplied.');
  const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
  if (bytes.length > MAX_BLOB_BYTES)
    throw new Refusal(
      422,
      'Sorry, your input was too large to process. Consider creating the blob in a local clone of the repository and then pushing it to GitHub.',
    );
  return bytes;
}

async function readBlob(world: World, context: Context, repository: StandInRepository): Promise<Response> {
  const sha = context.req.param('sha') ?? '';
  if (!SHA.test(sha) || (await repository.git.typeOf(sha)) !== 'blob') throw new Refusal(404, 'Not Found');
  const bytes = await repository.git.blob(sha);
  if (/\.raw\b/.test(context.req.header('accept') ?? '')) {
    return context.body(Uint8Array.from(bytes), 200, { 'content-type': 'application/vnd.github.raw' });
  }
  const url = apiUrl(world, repository, `git/blobs/${sha}`);
  return context.json({
    sha,
    node_id: '',
    size: bytes.length,
    url,
    content: bytes.toString('base64'),
    encoding: 'base64',
  });
}

async function createTree(repository: StandInRepository, body: Record<string, unknown>): Promise<string> {
  const { tree, base_tree: base } = body;
  if (!Array.isArray(tree) || tree.length === 0 || tree.length > MAX_TREE_ENTRIES)
    throw new Refusal(422, 'Invalid tree info');
  if (
    base !== undefined &&
    (typeof base !== 'string' || (await repository.git.resolve(`${base}^{tree}`)) === undefined)
  ) {
    throw new Refusal(422, 'base_tree is not a valid tree oid');
  }
  const items = [];
  for (const entry of tree) items.push(await checkEntry(repository, entry as Record<string, unknown>));
  return repository.git.writeTree(base, items);
}

async function checkEntry(
  repository: StandInRepository,
  entry: Record<string, unknown>,
): Promise<{ path: string; mode: string; sha: string | null }> {
  const { path, mode, type, sha, content } = entry;
  if (typeof path !== 'string' || !isTreePath(path))
    throw new Refusal(422, 'tree.path contains a malformed path component');
  if (typeof mode !== 'string' || TYPE_OF_MODE[mode] === undefined)
    throw new Refusal(422, 'Must supply a valid tree.mode');
  if (type !== undefined && type !== TYPE_OF_MODE[mode])
    throw new Refusal(422, `tree.type does not fit tree.mode ${mode}`);
  if (sha !== undefined && content !== undefined)
    throw new Refusal(422, 'Must supply either tree.sha or tree.content.');
  if (sha === null) return { path, mode, sha };
  if (typeof content === 'string')
    return { path, mode, sha: await repository.git.writeBlob(Buffer.from(content)) };
  if (typeof sha !== 'string' || !SHA.test(sha))
    throw new Refusal(422, 'Must supply either tree.sha or tree.content.');
  const expected = TYPE_OF_MODE[mode];
  if (expected !== 'commit' && (await repository.git.typeOf(sha)) !== expected)
    throw new Refusal(422, `tree.sha ${sha} is not a valid ${expected}`);
  return { path, mode, sha };
}

function isTreePath(path: string): boolean {
  if (path.includes('\0')) return false;
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !GIT_FOLDER.test(part));
}

async function createCommit(
  world: World,
  repository: StandInRepository,
  body: Record<string, unknown>,
): Promise<string> {
  const { message, tree, parents = [], author, committer } = body;
  if (typeof message !== 'string' || message.trim() === '')
    throw new Refusal(422, 'Invalid request.\n\n"message" wasn\'t supplied.');
  if (typeof tree !== 'string' || !SHA.test(tree))
    throw new Refusal(422, 'The tree parameter must be exactly 40 characters and contain only [0-9a-f].');
  if ((await repository.git.typeOf(tree)) !== 'tree') throw new Refusal(422, 'Tree SHA does not exist');
  if (!Array.isArray(parents)) throw new Refusal(422, 'Invalid request.\n\n"parents" is not an array.');
  for (const parent of parents as unknown[]) {
    const known =
      typeof parent === 'string' && SHA.test(parent) && (await repository.git.typeOf(parent)) === 'commit';
    if (!known) throw new Refusal(422, 'Parent SHA does not exist or is not a commit object');
  }
  const bot = {
    name: `${world.app.slug}[bot]`,
    email: `${world.app.id}+${world.app.slug}[bot]@users.noreply.github.com`,
  };
  const named = author === undefined ? undefined : (author as Person);
  return repository.git.writeCommit({
    tree,
    parents: parents as string[],
    message,
    author: named ?? bot,
    committer: (committer as Person | undefined) ?? named ?? { name: 'GitHub', email: 'noreply@github.com' },
  });
}

const MAX_LISTED_ENTRIES = 100_000;

async function treeJson(world: World, repository: StandInRepository, sha: string, recursive: boolean) {
  const items = await repository.git.tree(sha, recursive);
  const tree = items.slice(0, MAX_LISTED_ENTRIES).map((item) => ({
    ...item,
    url: apiUrl(world, repository, `git/${item.type}s/${item.sha}`),
  }));
  return {
    sha,
    url: apiUrl(world, repository, `git/trees/${sha}`),
    tree,
    truncated: items.length > MAX_LISTED_ENTRIES,
  };
}

export function commitJson(world: World, repository: StandInRepository, commit: Commit) {
  const url = apiUrl(world, repository, `git/commits/${commit.sha}`);
  return {
    sha: commit.sha,
    node_id: '',
    url,
    html_url: `${world.url}/${repository.fullName}/commit/${commit.sha}`,
    author: commit.author,
    committer: commit.committer,
    tree: { sha: commit.tree, url: apiUrl(world, repository, `git/trees/${commit.tree}`) },
    message: commit.message,
    parents: commit.parents.map((sha) => ({
      sha,
      url: apiUrl(world, repository, `git/commits/${sha}`),
      html_url: `${world.url}/${repository.fullName}/commit/${sha}`,
    })),
    // The stand-in cannot sign as GitHub does, so it does not say that it has.
    verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
  };
}
