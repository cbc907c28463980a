import type { Context, Hono } from 'hono';
import { apiUrl } from './git-data-routes.ts';
import { mirrorRefs } from './mirror-refs.ts';
import { Refusal } from './refusal.ts';
import { enter, pageOf, readBody, type StandInRepository, type World } from './world.ts';

const NO_OBJECT = '0'.repeat(40);
const SHA = /^[0-9a-f]{40}$/;

/** Refs and branches of the bare repository. */
export function addGitRefRoutes(app: Hono, world: World): void {
  app.get('/repos/:owner/:repo/git/ref/:ref{.+}', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    await refuseEmpty(repository);
    const ref = `refs/${context.req.param('ref')}`;
    return context.json(await refJson(world, repository, ref, await mustResolve(repository, ref)));
  });
  app.get('/repos/:owner/:repo/git/matching-refs/:ref{.+}', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    const prefix = `refs/${context.req.param('ref')}`;
    const refs = [...(await repository.git.refs('refs/'))].filter(([name]) => name.startsWith(prefix));
    return context.json(await Promise.all(refs.map(([name, sha]) => refJson(world, repository, name, sha))));
  });
  app.post('/repos/:owner/:repo/git/refs', async (context) => {
    const { repository } = await enter(world, context, 'write', 'contents');
    return createRef(world, context, repository);
  });
  app.patch('/repos/:owner/:repo/git/refs/:ref{.+}', async (context) => {
    const { repository } = await enter(world, context, 'write', 'contents');
    return updateRef(world, context, repository);
  });
  app.delete('/repos/:owner/:repo/git/refs/:ref{.+}', async (context) => {
    const { repository } = await enter(world, context, 'write', 'contents');
    const deleted = await repository.git.ok([
      'update-ref',
      '-d',
      `refs/${context.req.param('ref')}`,
      await existing(context, repository),
    ]);
    if (!deleted) throw new Refusal(422, 'Reference cannot be deleted');
    await mirrorRefs(world, repository);
    return context.body(null, 204);
  });
  app.get('/repos/:owner/:repo/branches', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    const branches = [...(await repository.git.refs('refs/heads/'))];
    return context.json(
      pageOf(context, branches).map(([name, sha]) =>
        branchJson(world, repository, name.slice('refs/heads/'.length), sha),
      ),
    );
  });
  app.get('/repos/:owner/:repo/branches/:branch{.+}', async (context) => {
    const { repository } = await enter(world, context, 'read', 'contents');
    const branch = context.req.param('branch');
    const sha = await repository.git.resolve(`refs/heads/${branch}`);
    if (sha === undefined) throw new Refusal(404, 'Branch not found');
    return context.json(branchJson(world, repository, branch, sha));
  });
}

async function createRef(world: World, context: Context, repository: StandInRepository): Promise<Response> {
  const { ref, sha } = await readBody(context);
  await refuseEmpty(repository);
  const wellFormed =
    typeof ref === 'string' &&
    /^refs\/[^/]+\/.+/.test(ref) &&
    (await repository.git.ok(['check-ref-format', ref]));
  if (!wellFormed)
    throw new Refusal(
      422,
      'Reference name is invalid. It must start with "refs" and have at least two slashes.',
    );
  const object = await mustBeCommit(repository, sha);
  if ((await repository.git.resolve(ref)) !== undefined) throw new Refusal(422, 'Reference already exists');
  if (!(await repository.git.updateRef(ref, object, NO_OBJECT)))
    throw new Refusal(422, 'Reference already exists');
  await mirrorRefs(world, repository);
  return context.json(await refJson(world, repository, ref, object), 201);
}

async function updateRef(world: World, context: Context, repository: StandInRepository): Promise<Response> {
  const ref = `refs/${context.req.param('ref')}`;
  const { sha, force = false } = await readBody(context);
  const before = await existing(context, repository);
  const after = await mustBeCommit(repository, sha);
  const fastForward = await repository.git.ok(['merge-base', '--is-ancestor', before, after]);
  if (!fastForward && force !== true) throw new Refusal(422, 'Update is not a fast forward');
  if (!(await repository.git.updateRef(ref, after, before)))
    throw new Refusal(422, 'Update is not a fast forward');
  await mirrorRefs(world, repository);
  return context.json(await refJson(world, repository, ref, after));
}

async function existing(context: Context, repository: StandInRepository): Promise<string> {
  const sha = await repository.git.resolve(`refs/${context.req.param('ref')}`);
  if (sha === undefined) throw new Refusal(422, 'Reference does not exist');
  return sha;
}

async function mustBeCommit(repository: StandInRepository, sha: unknown): Promise<string> {
  if (typeof sha !== 'string' || !SHA.test(sha))
    throw new Refusal(422, 'The sha parameter must be exactly 40 characters and contain only [0-9a-f].');
  if ((await repository.git.typeOf(sha)) !== 'commit') throw new Refusal(422, 'Object does not exist');
  return sha;
}

async function mustResolve(repository: StandInRepository, ref: string): Promise<string> {
  const sha = (await repository.git.refs(ref)).get(ref);
  if (sha === undefined) throw new Refusal(404, 'Not Found');
  return sha;
}

async function refuseEmpty(repository: StandInRepository): Promise<void> {
  if ((await repository.git.refs('refs/')).size === 0) throw new Refusal(409, 'Git Repository is empty.');
}

async function refJson(world: World, repository: StandInRepository, ref: string, sha: string) {
  const type = (await repository.git.typeOf(sha)) ?? 'commit';
  return {
    ref,
    node_id: '',
    url: apiUrl(world, repository, `git/${ref}`),
    object: { sha, type, url: apiUrl(world, repository, `git/${type}s/${sha}`) },
  };
}

function branchJson(world: World, repository: StandInRepository, name: string, sha: string) {
  return { name, commit: { sha, url: apiUrl(world, repository, `commits/${sha}`) }, protected: false };
}
