import type { Context, Hono } from 'hono';
import { permissionOf } from './access.ts';
import { forward } from './emulate-routes.ts';
import { repositoryJson, userJson } from './payloads.ts';
import { Refusal } from './refusal.ts';
import { enter, type World } from './world.ts';

/** What belongs to the App itself: tokens, installations and webhook deliveries. */
export function addAppRoutes(app: Hono, world: World): void {
  app.post('/app/installations/:id/access_tokens', async (context) => {
    await requireApp(world, context);
    const answer = await forward(world, context);
    if (answer.status !== 201) return answer;
    const issued: unknown = await answer.json();
    world.access.remember(issued);
    return Response.json(issued, { status: 201 });
  });
  app.get('/repos/:owner/:repo/installation', async (context) => {
    await requireApp(world, context);
    return forward(world, context);
  });
  app.get('/installation/repositories', async (context) => {
    const caller = await world.access.identify(context.req.header('authorization'));
    if (caller.kind !== 'installation')
      throw new Refusal(403, 'You must authenticate with an installation access token');
    const mine = [...world.repositories].filter(([name]) => caller.repositories.has(name));
    const repositories = await Promise.all(mine.map(([, repository]) => repositoryJson(world, repository)));
    return context.json({ total_count: repositories.length, repository_selection: 'selected', repositories });
  });
  app.get('/repos/:owner/:repo/collaborators/:login/permission', async (context) => {
    const { repository } = await enter(world, context, 'read', 'metadata');
    const login = context.req.param('login');
    if (world.emulated.state.users.findOneBy('login', login) === undefined)
      throw new Refusal(404, `${login} is not a user`);
    const permission = permissionOf(world.emulated, repository, login);
    return context.json({ permission, role_name: permission, user: await userJson(world, login) });
  });
  addDeliveryRoutes(app, world);
}

function addDeliveryRoutes(app: Hono, world: World): void {
  app.get('/app/hook/deliveries', async (context) => {
    await requireApp(world, context);
    const perPage = Math.min(100, Number(context.req.query('per_page') ?? 30) || 30);
    const before = Number(context.req.query('cursor') ?? Infinity);
    const older = world.webhooks
      .deliveries()
      .toReversed()
      .filter(({ id }) => id < before);
    const page = older.slice(0, perPage);
    const last = page.at(-1);
    if (last !== undefined && older.length > perPage) {
      context.header(
        'link',
        `<${world.url}/app/hook/deliveries?per_page=${perPage}&cursor=${last.id}>; rel="next"`,
      );
    }
    return context.json(
      page.map(({ request: _request, response: _response, url: _url, ...summary }) => summary),
    );
  });
  app.get('/app/hook/deliveries/:id', async (context) => {
    await requireApp(world, context);
    const found = world.webhooks.deliveries().find(({ id }) => id === Number(context.req.param('id')));
    if (found === undefined) throw new Refusal(404, 'Not Found');
    return context.json(found);
  });
  app.post('/app/hook/deliveries/:id/attempts', async (context) => {
    await requireApp(world, context);
    if (!world.webhooks.redeliver(Number(context.req.param('id')))) throw new Refusal(404, 'Not Found');
    return context.json({}, 202);
  });
}

async function requireApp(world: World, context: Context): Promise<void> {
  const caller = await world.access.identify(context.req.header('authorization'));
  if (caller.kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded');
}
