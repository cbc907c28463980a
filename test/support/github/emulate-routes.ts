import type { Context, Hono } from 'hono';
import type { Level, Permission } from './access.ts';
import { checkText } from './content-limits.ts';
import { pullRequestJson, findPullRequestRow } from './pull-requests.ts';
import { signComment } from './payloads.ts';
import { Refusal } from './refusal.ts';
import { authorizationOf, enter, readBody, type World } from './world.ts';

/** Routes by which emulate would change or read a git of its own. */
const OF_ITS_OWN_GIT =
  /\/(?:git|contents|readme|raw|tarball|zipball|forks|transfer|releases|commits|compare|branches|update-branch)(?:\/|$)/;

/** What emulate answers, after the checks that it does not make itself. */
export function addEmulateRoutes(app: Hono, world: World): void {
  app.get('/repos/:owner/:repo/issues/:number', async (context) => {
    const { repository } = await enter(world, context, 'read', 'issues', 'pull_requests');
    const number = Number(context.req.param('number'));
    if (findPullRequestRow(world, repository, number) === undefined) return forward(world, context);
    const pull = await pullRequestJson(world, repository, number);
    return context.json({ ...pull, pull_request: { url: pull['url'], html_url: pull['html_url'] } });
  });
  app.on(
    ['GET', 'POST', 'PATCH'],
    ['/repos/:owner/:repo/issues/:number/comments', '/repos/:owner/:repo/issues/comments/:id'],
    async (context) => {
      const level: Level = context.req.method === 'GET' ? 'read' : 'write';
      await enter(world, context, level, 'issues', 'pull_requests');
      if (level === 'write') checkText('IssueComment', await readBody(context));
      return signComments(world, context, await forward(world, context));
    },
  );
  app.all('/repos/:owner/:repo/*', async (context) => {
    const level: Level = context.req.method === 'GET' ? 'read' : 'write';
    await enter(world, context, level, ...permissionsOf(context));
    if (OF_ITS_OWN_GIT.test(pathInRepository(context))) {
      throw new Refusal(501, `The stand-in does not implement ${context.req.method} ${context.req.path}`);
    }
    if (level === 'write') checkText('Issue', await readBody(context));
    return forward(world, context);
  });
  app.all('*', async (context) => {
    await world.access.identify(context.req.header('authorization'));
    return forward(world, context);
  });
}

function pathInRepository(context: Context): string {
  return context.req.path.replace(/^\/repos\/[^/]+\/[^/]+/, '');
}

function permissionsOf(context: Context): Permission[] {
  const [, first] = pathInRepository(context).split('/');
  if (first === 'issues' || first === 'labels' || first === 'milestones') return ['issues', 'pull_requests'];
  if (first === 'pulls') return ['pull_requests'];
  return first === 'check-runs' || first === 'check-suites' ? ['checks'] : ['metadata'];
}

/** With the caller's token as emulate reads it; git and curl send Basic. */
export async function forward(world: World, context: Context): Promise<Response> {
  const authorization = context.req.header('authorization');
  const caller = await world.access.identify(authorization);
  const headers = caller.kind === 'app' ? { authorization: authorization ?? '' } : authorizationOf(caller);
  const { method } = context.req;
  const body = method === 'GET' || method === 'HEAD' ? {} : { body: await context.req.text() };
  const request = new Request(context.req.url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...body,
  });
  return world.emulated.fetch(request);
}

async function signComments(world: World, context: Context, answer: Response): Promise<Response> {
  if (!answer.ok || answer.status === 204) return answer;
  const link = answer.headers.get('link');
  if (link !== null) context.header('link', link);
  const value: unknown = await answer.json();
  const signed = Array.isArray(value)
    ? value.map((comment: Record<string, unknown>) => signComment(world, comment))
    : signComment(world, value as Record<string, unknown>);
  return context.json(signed, answer.status === 201 ? 201 : 200);
}
