import type { Context, Hono } from 'hono';
import { listCheckRuns } from './check-run-routes.ts';
import { appJson, ciAppJson } from './payloads.ts';
import { Refusal } from './refusal.ts';
import { enter, pageOf, type StandInRepository, type World } from './world.ts';
import type { Permission } from './access.ts';

/** What is asked about a commit as a whole: check suites, one for each App, and the newest status of each context. */
export function addCiRoutes(app: Hono, world: World): void {
  app.get('/repos/:owner/:repo/commits/:ref{.+}/check-suites', async (context) => {
    const { repository, sha } = await enterCommit(world, context, 'checks');
    const runs = await listCheckRuns(world, repository, sha);
    const suites = [appJson(world), ciAppJson(world)].flatMap((owner) => {
      const own = runs.filter((run) => (run['app'] as { id: number }).id === owner['id']);
      const isOpen =
        own.some((run) => run['status'] !== 'completed') ||
        (owner['id'] !== world.app.id && world.ci.unfinished.has(sha));
      const suite = { id: own[0]?.['id'], head_sha: sha, app: owner, latest_check_runs_count: own.length };
      return own.length === 0 ? [] : [{ ...suite, status: isOpen ? 'in_progress' : 'completed' }];
    });
    return context.json({ total_count: suites.length, check_suites: pageOf(context, suites) });
  });
  app.get('/repos/:owner/:repo/commits/:ref{.+}/status', async (context) => {
    const { repository, sha } = await enterCommit(world, context, 'statuses');
    const newest = new Map(
      world.ci.statuses
        .filter((status) => status.repository === repository.id && status.sha === sha)
        .toReversed()
        .map(({ repository: _id, ...status }) => [status.context, status]),
    );
    const statuses = [...newest.values()];
    const state = statuses.every((status) => status.state === 'success') ? 'success' : 'pending';
    return context.json({
      sha,
      state: statuses.some((status) => /failure|error/.test(status.state)) ? 'failure' : state,
      total_count: statuses.length,
      statuses: pageOf(context, statuses),
    });
  });
}

async function enterCommit(
  world: World,
  context: Context,
  permission: Permission,
): Promise<{ repository: StandInRepository; sha: string }> {
  const { repository } = await enter(world, context, 'read', permission);
  const ref = context.req.param('ref') ?? '';
  const sha = await repository.git.resolve(`${ref}^{commit}`);
  if (sha === undefined) throw new Refusal(422, `No commit found for SHA: ${ref}`);
  return { repository, sha };
}
