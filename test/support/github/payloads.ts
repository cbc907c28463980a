import { askEmulate, type StandInRepository, type World } from './world.ts';

type Json = Record<string, unknown>;

/** Fields that GitHub sends and emulate does not, with the values of a small repository that uses none of it. */
function completeRepository(world: World, repository: Json): Json {
  const url = `${world.url}/repos/${String(repository['full_name'])}`;
  return {
    keys_url: `${url}/keys{/key_id}`,
    hooks_url: `${url}/hooks`,
    issue_events_url: `${url}/issues/events{/number}`,
    assignees_url: `${url}/assignees{/user}`,
    git_tags_url: `${url}/git/tags{/sha}`,
    git_refs_url: `${url}/git/refs{/sha}`,
    statuses_url: `${url}/statuses/{sha}`,
    subscribers_url: `${url}/subscribers`,
    subscription_url: `${url}/subscription`,
    git_commits_url: `${url}/git/commits{/sha}`,
    issue_comment_url: `${url}/issues/comments{/number}`,
    archive_url: `${url}/{archive_format}{/ref}`,
    notifications_url: `${url}/notifications{?since,all,participating}`,
    mirror_url: null,
    forks: 0,
    open_issues: repository['open_issues_count'] ?? 0,
    watchers: 0,
    web_commit_signoff_required: false,
    custom_properties: {},
    ...repository,
  };
}

/** A payload of emulate in the shape of GitHub's. */
export async function completePayload(
  world: World,
  owner: string,
  name: string | undefined,
  payload: object,
): Promise<Json> {
  const completed: Json = { ...payload };
  const repository =
    name === undefined ? undefined : world.repositories.get(`${owner}/${name}`.toLowerCase());
  if (repository === undefined) return completed;
  completed['repository'] = completeRepository(world, await repositoryJson(world, repository));
  if (repository.installationId !== undefined)
    completed['installation'] = installationReference(repository.installationId);
  const organization = await organizationJson(world, repository);
  if (organization !== undefined) completed['organization'] = organization;
  if (isObject(completed['label']))
    completed['label'] = await labelJson(world, repository, String(completed['label']['name']));
  if (isObject(completed['issue'])) completed['issue'] = { draft: false, ...completed['issue'] };
  if (isObject(completed['comment'])) completed['comment'] = signComment(world, completed['comment']);
  if (isObject(completed['pull_request'])) completed['number'] = completed['pull_request']['number'];
  return completeAccounts(world, completed) as Json;
}

export async function repositoryJson(world: World, repository: StandInRepository): Promise<Json> {
  return readJson(await askEmulate(world, repository.system, `/repos/${repository.fullName}`));
}

export async function userJson(world: World, login: string): Promise<Json> {
  const answer = await askEmulate(world, { kind: 'anonymous' }, `/users/${encodeURIComponent(login)}`);
  const known = answer.ok ? await readJson(answer) : accountRow(world, login);
  const kept = ['id', 'node_id', 'type'].map((key) => [key, known[key]]);
  return completeAccount(world, { login, ...Object.fromEntries(kept) });
}

function accountRow(world: World, login: string): Json {
  const { users, orgs } = world.emulated.state;
  return users.findOneBy('login', login) ?? { type: 'Organization', ...orgs.findOneBy('login', login) };
}

/** emulate knows fewer of an account's addresses than GitHub, and fewer still for an organisation. */
function completeAccount(world: World, account: Json): Json {
  const login = String(account['login']);
  const url = `${world.url}/users/${login}`;
  return {
    avatar_url: `${world.url}/avatars/u/${login}`,
    gravatar_id: '',
    url,
    html_url: `${world.url}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    site_admin: false,
    ...account,
  };
}

const ACCOUNT_FIELDS = new Set(['owner', 'user', 'sender', 'account', 'assignee', 'merged_by', 'closed_by']);

function completeAccounts(world: World, value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => completeAccounts(world, item));
  if (!isObject(value)) return value;
  const inner = Object.entries(value).map(([key, item]) => [key, completeAccounts(world, item, key)]);
  const copy = Object.fromEntries(inner) as Json;
  return ACCOUNT_FIELDS.has(field) && 'login' in copy ? completeAccount(world, copy) : copy;
}

export function installationReference(id: number): Json {
  return { id, node_id: Buffer.from(`0:Installation${id}`).toString('base64') };
}

async function organizationJson(world: World, repository: StandInRepository): Promise<Json | undefined> {
  if (world.emulated.state.orgs.findOneBy('login', repository.owner) === undefined) return undefined;
  const answer = await askEmulate(world, repository.system, `/orgs/${repository.owner}`);
  const { login, id, node_id: nodeId, url, description } = await readJson(answer);
  return {
    login,
    id,
    node_id: nodeId,
    url,
    repos_url: `${world.url}/orgs/${repository.owner}/repos`,
    description,
  };
}

async function labelJson(world: World, repository: StandInRepository, name: string): Promise<Json> {
  const path = `/repos/${repository.fullName}/labels/${encodeURIComponent(name)}`;
  return readJson(await askEmulate(world, repository.system, path));
}

/** GitHub says which App a comment came through; emulate only knows its bot user. */
export function signComment(world: World, comment: Json): Json {
  const user = comment['user'];
  if (!isObject(user) || user['login'] !== `${world.app.slug}[bot]`) return comment;
  return { ...comment, performed_via_github_app: appJson(world) };
}

export function appJson(world: World): Json {
  const { id, slug } = world.app;
  return { id, slug, node_id: `App${id}`, name: slug, html_url: `${world.url}/apps/${slug}`, owner: null };
}

/** The App of the repositories' own CI. */
export function ciAppJson(world: World): Json {
  const id = world.app.id + 1;
  return { id, slug: 'some-ci', node_id: `App${id}`, name: 'Some CI', owner: null };
}

export async function readJson(response: Response): Promise<Json> {
  return (await response.json()) as Json;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
