import { join } from 'node:path';
import { createBareRepository, writeFirstCommit, type Files } from './bare-repository.ts';
import { mirrorRefs } from './mirror-refs.ts';
import { APP_EVENTS, APP_PERMISSIONS, type StandInRepository, type World } from './world.ts';

export interface NewRepository {
  owner: string;
  name: string;
  /** Neither files nor a folder: an empty repository. */
  files?: Files;
  fromDirectory?: string;
  /** `null`: the App is not installed on it. @default the owner's installation, made when there is none */
  installationId?: number | null;
  /** @default true */
  private?: boolean;
  /** @default true */
  drafts?: boolean;
}

const FIRST_INSTALLATION_ID = 1_001;

/** A user that can act; again is fine. */
export function addUser(world: World, login: string): { login: string; token: string } {
  if (world.emulated.state.users.findOneBy('login', login) === undefined)
    world.emulated.seed({ users: [{ login, name: login }] });
  return { login, token: world.access.userToken(login) };
}

/** A bare repository with a first commit, known to emulate and to the App's installation. */
export async function addRepository(
  world: World,
  directory: string,
  wanted: NewRepository,
): Promise<StandInRepository> {
  const { owner, name } = wanted;
  const fullName = `${owner}/${name}`;
  if (world.repositories.has(fullName.toLowerCase())) throw new Error(`The stand-in already has ${fullName}`);
  const { state } = world.emulated;
  if (state.users.findOneBy('login', owner) === undefined) world.emulated.seed({ orgs: [{ login: owner }] });
  const isPrivate = wanted.private ?? true;
  world.emulated.seed({ repos: [{ owner, name, private: isPrivate, auto_init: false }] });
  const row = state.repos.findOneBy('full_name', fullName);
  if (row === undefined) throw new Error(`emulate did not take ${fullName}`);
  const installationId =
    wanted.installationId === null ? undefined : install(world, row.id, owner, wanted.installationId);
  const repository: StandInRepository = {
    id: row.id,
    owner,
    name,
    fullName,
    private: isPrivate,
    drafts: wanted.drafts ?? true,
    git: await createBareRepository(join(directory, owner, `${name}.git`)),
    installationId,
    system: systemCaller(world, row.id, owner),
  };
  world.repositories.set(fullName.toLowerCase(), repository);
  if (wanted.files !== undefined) await writeFirstCommit(repository.git, { files: wanted.files });
  if (wanted.fromDirectory !== undefined)
    await writeFirstCommit(repository.git, { fromDirectory: wanted.fromDirectory });
  await mirrorRefs(world, repository);
  return repository;
}

interface Account {
  account_id: number;
  account_type: 'User' | 'Organization';
  account_login: string;
}

function accountOf(world: World, login: string): Account {
  const { users, orgs } = world.emulated.state;
  const user = users.findOneBy('login', login);
  const row = user ?? orgs.findOneBy('login', login);
  if (row === undefined) throw new Error(`The stand-in has no account ${login}`);
  return {
    account_id: row.id,
    account_type: user === undefined ? 'Organization' : 'User',
    account_login: login,
  };
}

function install(world: World, repositoryId: number, owner: string, wantedId: number | undefined): number {
  const installations = world.emulated.state.appInstallations;
  const account = accountOf(world, owner);
  const known = installations
    .all()
    .find(
      (row) =>
        row['account_login'] === owner && (wantedId ?? row['installation_id']) === row['installation_id'],
    );
  if (known !== undefined) {
    installations.update(known.id, {
      repository_ids: [...(known['repository_ids'] as number[]), repositoryId],
    });
    return Number(known['installation_id']);
  }
  const id = wantedId ?? FIRST_INSTALLATION_ID + installations.all().length;
  installations.insert({
    ...account,
    installation_id: id,
    app_id: world.app.id,
    repository_selection: 'selected',
    repository_ids: [repositoryId],
    permissions: APP_PERMISSIONS,
    events: APP_EVENTS,
    suspended_at: null,
  });
  return id;
}

function systemCaller(world: World, repositoryId: number, owner: string): StandInRepository['system'] {
  const account = accountOf(world, owner);
  const token = `system-${repositoryId}`;
  world.emulated.addToken(token, owner, {
    installationId: 0,
    appId: world.app.id,
    accountId: account.account_id,
    accountType: account.account_type,
    permissions: { ...APP_PERMISSIONS, administration: 'write' },
    repositoryIds: [repositoryId],
    repositorySelection: 'selected',
  });
  return { kind: 'installation', token, permissions: APP_PERMISSIONS, repositories: new Set() };
}

export type Role = 'admin' | 'write' | 'read' | 'none';

export function setPermission(world: World, repository: StandInRepository, login: string, role: Role): void {
  addUser(world, login);
  const { collaborators, users } = world.emulated.state;
  const user = users.findOneBy('login', login);
  const known = collaborators.findBy('repo_id', repository.id).find((row) => row['user_id'] === user?.id);
  if (known !== undefined) collaborators.delete(known.id);
  const names = { admin: 'admin', write: 'push', read: 'pull' };
  if (role !== 'none')
    collaborators.insert({ repo_id: repository.id, user_id: user?.id, permission: names[role] });
}
