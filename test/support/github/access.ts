import { randomBytes } from 'node:crypto';
import type { EmulatedGithub } from './emulate-github.ts';
import { Refusal } from './refusal.ts';
import type { StandInRepository } from './world.ts';

export type Caller =
  | { kind: 'anonymous' }
  | { kind: 'app' }
  | { kind: 'user'; token: string; login: string }
  | { kind: 'installation'; token: string; permissions: Record<string, string>; repositories: Set<string> };

export type Permission = 'contents' | 'pull_requests' | 'issues' | 'checks' | 'statuses' | 'metadata';
export type Level = 'read' | 'write';

interface IssuedToken {
  permissions: Record<string, string>;
  repositories: Set<string>;
  expiresAt: number;
}

/** Who may do what. emulate takes any token for its first user, so nothing reaches it that was not checked here. */
export interface Access {
  /** @throws Refusal 401 */
  identify(authorization: string | undefined): Promise<Caller>;
  /** Notes an installation token that emulate has issued. */
  remember(answer: unknown): void;
  /** A user's own token, which the stand-in's driver and tests act with. */
  userToken(login: string): string;
  /** @throws Refusal 403 or 404, as GitHub would */
  check(caller: Caller, repository: StandInRepository, permissions: Permission[], level: Level): void;
}

export function createAccess(emulated: EmulatedGithub): Access {
  const issued = new Map<string, IssuedToken>();
  const users = new Map<string, string>();
  const logins = new Map<string, string>();

  return {
    async identify(authorization) {
      const token = tokenOf(authorization);
      if (token === undefined) return { kind: 'anonymous' };
      if (token.startsWith('eyJ')) return identifyApp(emulated, token);
      const login = logins.get(token);
      if (login !== undefined) return { kind: 'user', token, login };
      const found = issued.get(token);
      if (found === undefined || found.expiresAt < Date.now()) throw new Refusal(401, 'Bad credentials');
      return { kind: 'installation', token, ...found };
    },
    remember(answer) {
      const {
        token,
        permissions,
        repositories,
        expires_at: expiresAt,
      } = answer as {
        token: string;
        permissions: Record<string, string>;
        repositories: { full_name: string }[];
        expires_at: string;
      };
      const names = new Set(repositories.map(({ full_name: name }) => name.toLowerCase()));
      issued.set(token, { permissions, repositories: names, expiresAt: Date.parse(expiresAt) });
    },
    userToken(login) {
      const token = users.get(login) ?? `ghp_${randomBytes(20).toString('hex')}`;
      if (!users.has(login)) emulated.addToken(token, login);
      users.set(login, token);
      logins.set(token, login);
      return token;
    },
    check(caller, repository, permissions, level) {
      if (!canSee(emulated, caller, repository)) throw new Refusal(404, 'Not Found');
      if (level === 'read' && !repository.private) return;
      if (may(emulated, caller, repository, permissions, level)) return;
      if (caller.kind === 'anonymous') throw new Refusal(401, 'Requires authentication');
      const integration = caller.kind === 'installation' || caller.kind === 'app';
      throw new Refusal(
        403,
        integration ? 'Resource not accessible by integration' : 'Must have push access to the repository.',
      );
    },
  };
}

/** `Bearer X`, `token X`, or Basic with the token as password, as git sends it. */
function tokenOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [scheme = '', value = ''] = authorization.trim().split(/\s+/, 2);
  if (scheme.toLowerCase() !== 'basic') return value;
  const text = Buffer.from(value, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

async function identifyApp(emulated: EmulatedGithub, token: string): Promise<Caller> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await emulated.fetch(new Request('http://emulate/app', { headers }));
  if (answer.status !== 200) throw new Refusal(401, 'A JSON web token could not be decoded');
  return { kind: 'app' };
}

function canSee(emulated: EmulatedGithub, caller: Caller, repository: StandInRepository): boolean {
  if (!repository.private) return true;
  if (caller.kind === 'installation') return caller.repositories.has(repository.fullName.toLowerCase());
  return caller.kind === 'user' && permissionOf(emulated, repository, caller.login) !== 'none';
}

function may(
  emulated: EmulatedGithub,
  caller: Caller,
  repository: StandInRepository,
  permissions: Permission[],
  level: Level,
): boolean {
  if (caller.kind === 'installation') {
    if (!caller.repositories.has(repository.fullName.toLowerCase())) return false;
    if (level === 'read' && permissions.includes('metadata')) return true;
    return permissions.some(
      (name) => caller.permissions[name] === 'write' || caller.permissions[name] === level,
    );
  }
  if (caller.kind !== 'user') return false;
  const role = permissionOf(emulated, repository, caller.login);
  const talks = permissions.includes('issues');
  return level === 'read' || talks ? role !== 'none' : role === 'admin' || role === 'write';
}

/** GitHub's legacy permission of a user: `admin`, `write`, `read` or `none`. */
export function permissionOf(
  emulated: EmulatedGithub,
  repository: StandInRepository,
  login: string,
): 'admin' | 'write' | 'read' | 'none' {
  const user = emulated.state.users.findOneBy('login', login);
  if (user === undefined) return repository.private ? 'none' : 'read';
  const row = emulated.state.repos.get(repository.id);
  if (row?.['owner_type'] === 'User' && row['owner_id'] === user.id) return 'admin';
  const given = emulated.state.collaborators
    .findBy('repo_id', repository.id)
    .find(({ user_id: id }) => id === user.id);
  switch (given?.['permission']) {
    case 'admin':
      return 'admin';
    case 'maintain':
    case 'push':
    case 'write':
      return 'write';
    case 'triage':
    case 'pull':
    case 'read':
      return 'read';
    default:
      return repository.private ? 'none' : 'read';
  }
}
