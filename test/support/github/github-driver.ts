import { addRepository, addUser, setPermission, type NewRepository, type Role } from './accounts.ts';
import type { Call, Calls, Fault } from './calls.ts';
import { type Checked, type Stated, sayByCheckRun, sayByStatus } from './ci.ts';
import { listCheckRuns } from './check-run-routes.ts';
import { installationReference, repositoryJson, signComment, userJson } from './payloads.ts';
import { mergePullRequest } from './pull-request-routes.ts';
import { askEmulate, type StandInApp, type StandInRepository, type World } from './world.ts';
import type { Delivery } from './webhook-sender.ts';

export interface PullRequestView {
  number: number;
  node_id: string;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  merged: boolean;
  html_url: string;
  user: { login: string };
  head: { ref: string; sha: string };
  base: { ref: string; sha: string };
  additions: number;
  deletions: number;
  changed_files: number;
  commits: number;
}

export interface CommentView {
  id: number;
  body: string;
  user: { login: string; type: string };
}

export interface CheckRunView {
  id: number;
  name: string;
  head_sha: string;
  external_id: string;
  status: string;
  conclusion: string | null;
  details_url: string | null;
  output: { title: string | null; summary: string | null };
}

/** People's side of the stand-in, and what a test or the demo may know about it. Repositories go by `owner/name`. */
export interface Github {
  url: string;
  app: StandInApp;
  setWebhookUrl(url: string | undefined): void;
  addUser(login: string): { login: string; token: string };
  addRepository(
    wanted: NewRepository,
  ): Promise<{ repository: string; installationId: number | undefined; headSha: string | undefined }>;
  setPermission(repository: string, login: string, role: Role): void;
  /** Sends the `installation` event of the repository's installation. */
  announceInstallation(
    repository: string,
    action: 'created' | 'deleted' | 'suspend' | 'unsuspend',
    sender: string,
  ): Promise<void>;
  openIssue(issue: {
    repository: string;
    title: string;
    body?: string;
    author: string;
    labels?: string[];
  }): Promise<{ number: number }>;
  label(label: { repository: string; issue: number; label: string; actor: string }): Promise<void>;
  unlabel(label: { repository: string; issue: number; label: string; actor: string }): Promise<void>;
  comment(comment: {
    repository: string;
    issue: number;
    body: string;
    author: string;
  }): Promise<{ id: number }>;
  merge(repository: string, number: number, by: string): Promise<string>;
  /** A check run of the repository's own CI begins; with a conclusion it is over. */
  check(repository: string, checked: Checked): Promise<void>;
  /** A commit status of the repository's own CI. */
  status(repository: string, stated: Stated): void;
  pullRequests(repository: string): Promise<PullRequestView[]>;
  comments(repository: string, issue: number): Promise<CommentView[]>;
  checkRuns(repository: string): Promise<CheckRunView[]>;
  /** Branch → SHA, from git. */
  branches(repository: string): Promise<Record<string, string>>;
  /** Bare repository on disk, for git itself. */
  gitDirectory(repository: string): string;
  /** Every API call that writes, in order of its end. */
  calls(): Call[];
  failNext(fault: Fault): void;
  deliveries(): Delivery[];
  redeliver(id: number): void;
  /** Resolves when every webhook so far was answered. */
  webhooksSettled(): Promise<void>;
  stop(): Promise<void>;
}

export function createDriver(
  world: World,
  calls: Calls,
  directory: string,
  stop: () => Promise<void>,
): Github {
  const at = (name: string): StandInRepository => {
    const found = world.repositories.get(name.toLowerCase());
    if (found === undefined) throw new Error(`The stand-in has no repository ${name}`);
    return found;
  };
  return {
    url: world.url,
    app: world.app,
    setWebhookUrl: (url) => world.webhooks.setUrl(url),
    addUser: (login) => addUser(world, login),
    addRepository: async (wanted) => {
      const { fullName, installationId, git } = await addRepository(world, directory, wanted);
      return { repository: fullName, installationId, headSha: await git.resolve('refs/heads/main') };
    },
    setPermission: (repository, login, role) => setPermission(world, at(repository), login, role),
    announceInstallation: (repository, action, sender) => announce(world, at(repository), action, sender),
    ...people(world, at),
    check: (repository, checked) => sayByCheckRun(world, at(repository), checked),
    status: (repository, stated) => sayByStatus(world, at(repository), stated),
    ...views(world, at),
    calls: () => calls.list(),
    failNext: (fault) => calls.failNext(fault),
    deliveries: () => world.webhooks.deliveries(),
    redeliver: (id) => void world.webhooks.redeliver(id),
    webhooksSettled: () => world.webhooks.settled(),
    stop,
  };
}

type At = (name: string) => StandInRepository;

function people(world: World, at: At): Pick<Github, 'openIssue' | 'label' | 'unlabel' | 'comment' | 'merge'> {
  return {
    openIssue: async ({ repository, title, body, author, labels }) =>
      (await act(world, at(repository), author, 'POST', '/issues', { title, body, labels })) as {
        number: number;
      },
    label: async ({ repository, issue, label, actor }) => {
      await act(world, at(repository), actor, 'POST', `/issues/${issue}/labels`, { labels: [label] });
    },
    unlabel: async ({ repository, issue, label, actor }) => {
      await act(
        world,
        at(repository),
        actor,
        'DELETE',
        `/issues/${issue}/labels/${encodeURIComponent(label)}`,
      );
    },
    comment: async ({ repository, issue, body, author }) =>
      (await act(world, at(repository), author, 'POST', `/issues/${issue}/comments`, { body })) as {
        id: number;
      },
    merge: (repository, number, by) => mergePullRequest(world, at(repository), number, by),
  };
}

function views(
  world: World,
  at: At,
): Pick<Github, 'pullRequests' | 'comments' | 'checkRuns' | 'branches' | 'gitDirectory'> {
  return {
    pullRequests: async (name) => {
      const list = (await readAll(world, at(name), '/pulls?state=all&direction=asc')) as { number: number }[];
      // The list has no counts, as on GitHub.
      return Promise.all(
        list.map(async ({ number }) => (await read(world, at(name), `/pulls/${number}`)) as PullRequestView),
      );
    },
    comments: async (name, issue) => {
      const list = (await readAll(world, at(name), `/issues/${issue}/comments?direction=asc`)) as Record<
        string,
        unknown
      >[];
      return list.map((comment) => signComment(world, comment) as unknown as CommentView);
    },
    checkRuns: async (name) =>
      (await listCheckRuns(world, at(name))).toReversed() as unknown as CheckRunView[],
    branches: async (name) => {
      const refs = [...(await at(name).git.refs('refs/heads/'))];
      return Object.fromEntries(refs.map(([ref, sha]) => [ref.slice('refs/heads/'.length), sha]));
    },
    gitDirectory: (name) => at(name).git.directory,
  };
}

/** Does something as a person, who can at least read the repository from then on. */
async function act(
  world: World,
  repository: StandInRepository,
  login: string,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const { token } = addUser(world, login);
  const { users, collaborators } = world.emulated.state;
  const user = users.findOneBy('login', login);
  const known = collaborators.findBy('repo_id', repository.id).some((row) => row['user_id'] === user?.id);
  if (!known && repository.private && repository.owner !== login)
    setPermission(world, repository, login, 'read');
  const caller = { kind: 'user', token, login } as const;
  const answer = await askEmulate(world, caller, `/repos/${repository.fullName}${path}`, { method, body });
  if (!answer.ok)
    throw new Error(`${login} could not ${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

async function read(world: World, repository: StandInRepository, path: string): Promise<unknown> {
  const answer = await askEmulate(world, repository.system, `/repos/${repository.fullName}${path}`);
  if (!answer.ok) throw new Error(`The stand-in could not read ${path}: ${answer.status}`);
  return answer.json();
}

async function readAll(world: World, repository: StandInRepository, path: string): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let page = 1; ; page += 1) {
    const list = (await read(world, repository, `${path}&per_page=100&page=${page}`)) as unknown[];
    items.push(...list);
    if (list.length < 100) return items;
  }
}

async function announce(
  world: World,
  repository: StandInRepository,
  action: string,
  sender: string,
): Promise<void> {
  if (repository.installationId === undefined)
    throw new Error(`The App is not installed on ${repository.fullName}`);
  addUser(world, sender);
  const installations = world.emulated.state.appInstallations;
  const row = installations
    .all()
    .find((candidate) => candidate['installation_id'] === repository.installationId);
  const ids = (row?.['repository_ids'] ?? []) as number[];
  const mine = [...world.repositories.values()].filter(({ id }) => ids.includes(id));
  const repositories = await Promise.all(mine.map((one) => repositoryJson(world, one)));
  const account = await userJson(world, repository.owner);
  world.webhooks.send('installation', {
    action,
    installation: {
      ...installationReference(repository.installationId),
      account,
      repository_selection: 'selected',
      access_tokens_url: `${world.url}/app/installations/${repository.installationId}/access_tokens`,
      repositories_url: `${world.url}/installation/repositories`,
      html_url: `${world.url}/settings/installations/${repository.installationId}`,
      app_id: world.app.id,
      app_slug: world.app.slug,
      target_id: row?.['account_id'],
      target_type: row?.['account_type'],
      permissions: row?.['permissions'],
      events: row?.['events'],
      created_at: row?.['created_at'],
      updated_at: row?.['updated_at'],
      single_file_name: null,
      has_multiple_single_files: false,
      single_file_paths: [],
      suspended_by: null,
      suspended_at: null,
    },
    repositories: repositories.map(
      ({ id, node_id: nodeId, name, full_name: fullName, private: isPrivate }) => ({
        id,
        node_id: nodeId,
        name,
        full_name: fullName,
        private: isPrivate,
      }),
    ),
    requester: null,
    sender: await userJson(world, sender),
  });
}
