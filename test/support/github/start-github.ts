import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createAccess } from './access.ts';
import { addAppRoutes } from './app-routes.ts';
import { addCallLog } from './calls.ts';
import { addCheckRunRoutes } from './check-run-routes.ts';
import { addCiRoutes } from './ci-routes.ts';
import { addContentRoutes } from './content-routes.ts';
import { addEmulateRoutes } from './emulate-routes.ts';
import { startEmulatedGithub } from './emulate-github.ts';
import { addGitDataRoutes } from './git-data-routes.ts';
import { addGitHttp } from './git-http.ts';
import { addGitRefRoutes } from './git-ref-routes.ts';
import { createDriver, type Github } from './github-driver.ts';
import { addGraphqlRoute } from './graphql-route.ts';
import { completePayload } from './payloads.ts';
import { addPullRequestRoutes } from './pull-request-routes.ts';
import { describePullRequest } from './pull-requests.ts';
import { answerRefusal, Refusal } from './refusal.ts';
import { createWebhookSender } from './webhook-sender.ts';
import { APP_EVENTS, APP_PERMISSIONS, type StandInApp, type World } from './world.ts';

export interface GithubOptions {
  app?: {
    /** @default 4242 */
    id?: number;
    /** @default 'penstock' */
    slug?: string;
    /** PEM. @default the same new key for every stand-in of a process */
    privateKey?: string;
    /** @default 'webhook-secret' */
    webhookSecret?: string;
    /** Where webhooks go; without, none are sent. */
    webhookUrl?: string;
  };
  /** @default a free one */
  port?: number;
  /** Folder for the bare repositories; it stays when the stand-in stops. */
  directory: string;
}

const HOST = '127.0.0.1';

/**
 * A GitHub on one loopback port: the REST API, the GraphQL that leads out of draft, clone and push, and signed webhooks.
 * Bare git repositories are the truth for all that is git; emulate keeps issues, comments, labels, pull requests and check runs.
 */
export async function startGithub(options: GithubOptions): Promise<Github> {
  const routes = new Hono();
  const server = serve({ fetch: routes.fetch, hostname: HOST, port: options.port ?? 0 });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const world = await createWorld(`http://${HOST}:${port}`, options);
  const calls = addCallLog(routes);
  addRoutes(routes, world);
  return createDriver(world, calls, options.directory, async () => {
    await world.webhooks.settled();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      if ('closeAllConnections' in server) server.closeAllConnections();
    });
  });
}

async function createWorld(url: string, { app = {} }: GithubOptions): Promise<World> {
  const identity: StandInApp = {
    id: app.id ?? 4242,
    slug: app.slug ?? 'penstock',
    privateKey: app.privateKey ?? (await (key ??= newKey())),
    webhookSecret: app.webhookSecret ?? 'webhook-secret',
  };
  const webhooks = createWebhookSender(identity, app.webhookUrl);
  const settings = { ...identity, permissions: APP_PERMISSIONS, events: APP_EVENTS };
  const emulated = await startEmulatedGithub(url, settings, (event, _action, payload, owner, name) =>
    dispatch(world, event, payload, owner, name),
  );
  const world: World = {
    url,
    app: identity,
    emulated,
    access: createAccess(emulated),
    webhooks,
    repositories: new Map(),
    ci: { checkRuns: new Set(), unfinished: new Set(), statuses: [] },
  };
  return world;
}

/** Sends what emulate has noticed, if the App is installed there and subscribed to it. */
function dispatch(
  world: World,
  event: string,
  payload: object,
  owner: string,
  name: string | undefined,
): void {
  const repository = world.repositories.get(`${owner}/${name}`.toLowerCase());
  if (repository?.installationId === undefined || !APP_EVENTS.includes(event)) return;
  const complete = async (): Promise<Record<string, unknown>> => {
    const completed = await completePayload(world, owner, name, payload);
    const pull = completed['pull_request'] as { base: { ref: string }; head: { sha: string } } | undefined;
    if (event !== 'pull_request' || pull === undefined) return completed;
    const { base_sha: _base, ...numbers } = await describePullRequest(
      repository,
      pull.base.ref,
      pull.head.sha,
    );
    return { ...completed, pull_request: { ...pull, ...numbers } };
  };
  world.webhooks.send(event, complete());
}

function addRoutes(routes: Hono, world: World): void {
  addGitHttp(routes, world);
  addGitDataRoutes(routes, world);
  addGitRefRoutes(routes, world);
  addCheckRunRoutes(routes, world);
  addCiRoutes(routes, world);
  addContentRoutes(routes, world);
  addPullRequestRoutes(routes, world);
  addGraphqlRoute(routes, world);
  addAppRoutes(routes, world);
  addEmulateRoutes(routes, world);
  routes.onError((error, context) => {
    if (error instanceof Refusal) return answerRefusal(context, error);
    return context.json({ message: `The stand-in failed: ${error.message}` }, 500);
  });
}

/** A key takes a tenth of a second to make. */
let key: Promise<string> | undefined;

async function newKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}
