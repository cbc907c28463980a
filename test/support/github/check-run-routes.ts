import type { Context, Hono } from 'hono';
import { checkCheckRun } from './content-limits.ts';
import { appJson, ciAppJson, readJson } from './payloads.ts';
import { Refusal } from './refusal.ts';
import { askEmulate, enter, pageOf, readBody, type StandInRepository, type World } from './world.ts';

type Json = Record<string, unknown>;

/** Check runs: kept by emulate, on commits that git really has. */
export function addCheckRunRoutes(app: Hono, world: World): void {
  app.post('/repos/:owner/:repo/check-runs', async (context) => {
    const { repository, caller } = await enter(world, context, 'write', 'checks');
    if (caller.kind !== 'installation') throw new Refusal(403, 'You must authenticate via a GitHub App.');
    const body = await readBody(context);
    checkCheckRun(body);
    const sha = String(body['head_sha']);
    if ((await repository.git.typeOf(sha)) !== 'commit')
      throw new Refusal(422, `No commit found for SHA: ${sha}`);
    const path = `/repos/${repository.fullName}/check-runs`;
    return signed(world, context, await askEmulate(world, caller, path, { method: 'POST', body }));
  });
  app.patch('/repos/:owner/:repo/check-runs/:id', async (context) => {
    const { caller } = await enter(world, context, 'write', 'checks');
    if (caller.kind !== 'installation') throw new Refusal(403, 'You must authenticate via a GitHub App.');
    const body = await readBody(context);
    checkCheckRun(body);
    return signed(
      world,
      context,
      await askEmulate(world, caller, new URL(context.req.url).pathname, { method: 'PATCH', body }),
    );
  });
  app.get('/repos/:owner/:repo/commits/:ref{.+}/check-runs', async (context) => {
    const { repository } = await enter(world, context, 'read', 'checks');
    const sha = await repository.git.resolve(`${context.req.param('ref')}^{commit}`);
    if (sha === undefined) throw new Refusal(422, `No commit found for SHA: ${context.req.param('ref')}`);
    const runs = await listCheckRuns(world, repository, sha);
    const kept = context.req.query('filter') === 'all' ? runs : latestOfEachName(runs);
    const { check_name: name, status, app_id: appId } = context.req.query();
    const matching = kept.filter(
      (run) =>
        (name === undefined || run['name'] === name) &&
        (status === undefined || run['status'] === status) &&
        (appId === undefined || appId === String((run['app'] as Json)['id'])),
    );
    return context.json({ total_count: matching.length, check_runs: pageOf(context, matching) });
  });
}

async function signed(world: World, context: Context, answer: Response): Promise<Response> {
  if (!answer.ok) return answer;
  return context.json(
    { ...(await readJson(answer)), app: appJson(world) },
    answer.status === 201 ? 201 : 200,
  );
}

/** All check runs of a commit, the newest first. */
export async function listCheckRuns(
  world: World,
  repository: StandInRepository,
  sha?: string,
): Promise<Json[]> {
  const rows = world.emulated.state.checkRuns.findBy('repo_id', repository.id);
  const wanted = rows.filter((row) => sha === undefined || row['head_sha'] === sha).toReversed();
  const path = `/repos/${repository.fullName}/check-runs`;
  const runs = await Promise.all(
    wanted.map(async ({ id }) => readJson(await askEmulate(world, repository.system, `${path}/${id}`))),
  );
  return runs.map((run) => ({
    ...run,
    app: world.ci.checkRuns.has(Number(run['id'])) ? ciAppJson(world) : appJson(world),
  }));
}

function latestOfEachName(newestFirst: Json[]): Json[] {
  const names = new Set<unknown>();
  return newestFirst.filter(({ name }) => !names.has(name) && names.add(name));
}
