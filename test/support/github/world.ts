import type { Context } from 'hono';
import type { Access, Caller, Level, Permission } from './access.ts';
import type { BareRepository } from './bare-repository.ts';
import type { EmulatedGithub } from './emulate-github.ts';
import { Refusal } from './refusal.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface StandInRepository {
  id: number;
  owner: string;
  name: string;
  fullName: string;
  private: boolean;
  /** Whether draft pull requests are allowed, which private repositories of free plans lack. */
  drafts: boolean;
  git: BareRepository;
  installationId: number | undefined;
  /** The stand-in's own view of the repository: never leaves this process. */
  system: Caller;
}

export interface StandInApp {
  id: number;
  slug: string;
  privateKey: string;
  webhookSecret: string;
}

/** What a repository's own CI has said: the App of its check runs is another than ours. */
export interface Ci {
  /** Ids of its check runs. */
  checkRuns: Set<number>;
  /** Commits on which it has more to say, though every check run so far is over. */
  unfinished: Set<string>;
  /** Commit statuses, the newest first. */
  statuses: CommitStatus[];
}

export interface CommitStatus {
  repository: number;
  sha: string;
  context: string;
  state: 'pending' | 'success' | 'failure' | 'error';
  description: string;
  target_url: string;
}

/** What every route of the stand-in works with. */
export interface World {
  url: string;
  app: StandInApp;
  emulated: EmulatedGithub;
  access: Access;
  webhooks: WebhookSender;
  /** By lower-case full name. */
  repositories: Map<string, StandInRepository>;
  ci: Ci;
}

export const APP_PERMISSIONS = {
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  checks: 'write',
  statuses: 'read',
  metadata: 'read',
};
export const APP_EVENTS = [
  'issues',
  'issue_comment',
  'pull_request',
  'pull_request_review',
  'check_run',
  'status',
];

export function findRepository(world: World, owner: string, name: string): StandInRepository {
  const found = world.repositories.get(`${owner}/${name}`.toLowerCase());
  if (found === undefined) throw new Refusal(404, 'Not Found');
  return found;
}

/** The repository of a `/repos/:owner/:repo/…` route, after checking that the caller may use it so. */
export async function enter(
  world: World,
  context: Context,
  level: Level,
  ...permissions: Permission[]
): Promise<{ repository: StandInRepository; caller: Caller }> {
  const caller = await world.access.identify(context.req.header('authorization'));
  const repository = findRepository(world, context.req.param('owner') ?? '', context.req.param('repo') ?? '');
  world.access.check(caller, repository, permissions, level);
  return { repository, caller };
}

export function authorizationOf(caller: Caller): Record<string, string> {
  return caller.kind === 'installation' || caller.kind === 'user'
    ? { authorization: `token ${caller.token}` }
    : {};
}

/** Asks emulate as the caller. */
export function askEmulate(
  world: World,
  caller: Caller,
  path: string,
  init: { method?: string; body?: unknown } = {},
): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...authorizationOf(caller) };
  const body = init.body === undefined ? {} : { body: JSON.stringify(init.body) };
  return world.emulated.fetch(
    new Request(`${world.url}${path}`, { method: init.method ?? 'GET', headers, ...body }),
  );
}

/** JSON object of a request; an empty body is an empty object. */
export async function readBody(context: Context): Promise<Record<string, unknown>> {
  const text = await context.req.text();
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Reported below, like a body that is no object.
  }
  throw new Refusal(400, 'Problems parsing JSON');
}

/** The part of a list that the request's `page` and `per_page` name. */
export function pageOf<T>(context: Context, items: T[]): T[] {
  const perPage = Math.min(100, Math.max(1, Number(context.req.query('per_page') ?? 30) || 30));
  const page = Math.max(1, Number(context.req.query('page') ?? 1) || 1);
  return items.slice((page - 1) * perPage, page * perPage);
}
