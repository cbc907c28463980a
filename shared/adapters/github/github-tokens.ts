import type { App } from '@octokit/app';
import type { RepositoryRef } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';

export type Scope = 'read' | 'write' | 'clone' | 'statuses';

const PERMISSIONS: Record<Scope, Record<string, string>> = {
  clone: { contents: 'read' },
  // By itself: an App without this permission can still do everything else.
  statuses: { statuses: 'read' },
  read: { contents: 'read', issues: 'read', pull_requests: 'read', checks: 'read' },
  write: { contents: 'write', issues: 'write', pull_requests: 'write', checks: 'write' },
};

/** Installation tokens, each for one repository and one scope. */
export function createTokens(app: App): (repository: RepositoryRef, scope: Scope) => Promise<string> {
  const installations = new Map<string, number>();
  const findInstallation = async (repository: RepositoryRef): Promise<number> => {
    const known = repository.installationId ?? installations.get(repository.repository);
    if (known !== undefined) return known;
    const { data } = await app.octokit.request(
      'GET /repos/{owner}/{repo}/installation',
      ownerAndRepo(repository),
    );
    installations.set(repository.repository, data.id);
    return data.id;
  };
  return async (repository, scope) => {
    const installationId = await findInstallation(repository);
    const limits = { repositoryNames: [ownerAndRepo(repository).repo], permissions: PERMISSIONS[scope] };
    // auth-app keeps tokens by installation, repositories and permissions until shortly before they expire.
    const answer = await app.octokit.auth({ type: 'installation', installationId, ...limits });
    if (hasToken(answer)) return answer.token;
    throw new PenstockError('internal', `GitHub gave no token for ${repository.repository}`);
  };
}

function hasToken(answer: unknown): answer is { token: string } {
  return (
    typeof answer === 'object' && answer !== null && 'token' in answer && typeof answer.token === 'string'
  );
}

export function ownerAndRepo(repository: RepositoryRef): { owner: string; repo: string } {
  const [owner, repo, more] = repository.repository.split('/');
  if (owner && repo && more === undefined) return { owner, repo };
  throw new PenstockError('invalid', `A GitHub repository is owner/name, not ${repository.repository}`);
}
