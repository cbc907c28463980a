import { createEmulator } from 'emulate';

/** What the stand-in uses of one row of emulate's in-memory state. */
export interface Row {
  id: number;
  [field: string]: unknown;
}

interface Collection {
  insert(data: object): Row;
  get(id: number): Row | undefined;
  all(): Row[];
  findBy(field: string, value: unknown): Row[];
  findOneBy(field: string, value: unknown): Row | undefined;
  update(id: number, data: object): Row | undefined;
  delete(id: number): boolean;
}

type CollectionName =
  | 'users'
  | 'orgs'
  | 'repos'
  | 'apps'
  | 'appInstallations'
  | 'collaborators'
  | 'issues'
  | 'labels'
  | 'comments'
  | 'pullRequests'
  | 'checkRuns'
  | 'branches'
  | 'refs';

export type State = Record<CollectionName, Collection>;

type Dispatch = (
  event: string,
  action: string | undefined,
  payload: object,
  owner: string,
  repo?: string,
) => void;

/** What a token of an installation may do, as emulate keeps it. */
export interface InstallationGrant {
  installationId: number;
  appId: number;
  accountId: number;
  accountType: string;
  permissions: Record<string, string>;
  repositoryIds: number[];
  repositorySelection: 'selected';
}

type TokenMap = Map<
  string,
  { login: string; id: number; scopes: string[]; installation?: InstallationGrant }
>;

interface Captured {
  app: { fetch(request: Request): Promise<Response> };
  store: unknown;
  webhooks: { dispatch: Dispatch };
  tokens: TokenMap;
}

interface Plugin {
  register(
    app: Captured['app'],
    store: unknown,
    webhooks: Captured['webhooks'],
    baseUrl: string,
    tokens: TokenMap,
  ): void;
}

interface Internals {
  githubPlugin: Plugin;
  getGitHubStore(store: unknown): State;
  seedFromConfig(store: unknown, baseUrl: string, config: object): void;
}

export interface EmulatedGithub {
  /** Answers one API request, in this process. */
  fetch(request: Request): Promise<Response>;
  state: State;
  /** Adds users, organisations and repositories to what is there. */
  seed(config: object): void;
  /** `token` then acts as the user, or as the App on that user's account. */
  addToken(token: string, login: string, installation?: InstallationGrant): void;
}

export interface EmulatedApp {
  id: number;
  slug: string;
  privateKey: string;
  permissions: Record<string, string>;
  events: string[];
}

/** File of emulate 0.12.2 that holds its GitHub service. */
const INTERNALS = './dist-DWLNEG6M.js';
let turn: Promise<unknown> = Promise.resolve();

/**
 * Starts emulate's GitHub inside this process, without a port of its own.
 *
 * emulate takes accounts and installations only when it starts, keeps its state to itself and numbers deliveries by
 * the clock; a stand-in has to add repositories later and to send every webhook itself. So this takes hold of the
 * service at the moment in which emulate registers it, which is why the package is pinned to one version.
 */
export function startEmulatedGithub(
  baseUrl: string,
  app: EmulatedApp,
  dispatch: Dispatch,
): Promise<EmulatedGithub> {
  // The hook is on a shared object: two that start at once take turns.
  const started = turn.then(() => start(baseUrl, app, dispatch));
  turn = started.catch(() => {});
  return started;
}

async function start(baseUrl: string, app: EmulatedApp, dispatch: Dispatch): Promise<EmulatedGithub> {
  const internals = await loadInternals();
  const captured = await capture(internals.githubPlugin, () =>
    createEmulator({
      service: 'github',
      port: 0,
      baseUrl,
      seed: {
        tokens: {},
        github: {
          apps: [
            {
              app_id: app.id,
              slug: app.slug,
              name: app.slug,
              private_key: app.privateKey,
              permissions: app.permissions,
              events: app.events,
            },
          ],
        },
      },
    }),
  );
  captured.webhooks.dispatch = dispatch;
  return {
    fetch: (request) => captured.app.fetch(request),
    state: internals.getGitHubStore(captured.store),
    seed: (config) => internals.seedFromConfig(captured.store, baseUrl, config),
    addToken: (token, login, installation) => {
      const user = { login, id: 0, scopes: ['repo', 'user'] };
      captured.tokens.set(token, installation === undefined ? user : { ...user, installation });
    },
  };
}

async function loadInternals(): Promise<Internals> {
  const file = new URL(INTERNALS, import.meta.resolve('emulate'));
  const internals: Internals = await import(file.href);
  if (internals.githubPlugin?.register === undefined || internals.getGitHubStore === undefined) {
    throw new Error('emulate has changed inside: this stand-in is written for emulate 0.12.2');
  }
  return internals;
}

async function capture(plugin: Plugin, create: () => Promise<{ close(): Promise<void> }>): Promise<Captured> {
  const original = plugin.register.bind(plugin);
  let captured: Captured | undefined;
  plugin.register = (app, store, webhooks, url, tokens) => {
    original(app, store, webhooks, url, tokens);
    captured = { app, store, webhooks, tokens };
  };
  try {
    const emulator = await create();
    // Its own port would accept any token; requests come in process instead.
    await emulator.close();
  } finally {
    plugin.register = original;
  }
  if (captured === undefined) throw new Error('emulate did not register its GitHub service');
  return captured;
}
