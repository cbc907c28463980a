import type { RepositoryRef } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';

/**
 * A repository is reached only through the tenant's own installations; paths only where this machine is the user's own.
 * @throws PenstockError `not_found`: also for a repository that exists but is another tenant's.
 */
export async function resolveRepository(
  ports: Pick<Ports, 'store' | 'policy'>,
  tenant: string,
  name: string | undefined,
): Promise<RepositoryRef | undefined> {
  if (name === undefined) return undefined;
  if (name.startsWith('/')) {
    if (ports.policy.localRepositories) return { host: 'local-git', repository: name };
    throw new PenstockError('invalid', 'a repository is owner/name here; paths are for local mode');
  }
  const found = (await ports.store.get(refs.repository(tenant, name)))?.data;
  const installation =
    found === undefined ? undefined : (await ports.store.get(refs.installation(found.installationId)))?.data;
  if (found !== undefined && installation?.tenant === tenant && !installation.suspended) {
    return { host: 'github', repository: found.repository, installationId: found.installationId };
  }
  throw new PenstockError(
    'not_found',
    `no installation of tenant ${tenant} reaches ${name}; install the GitHub App on it, or check the spelling`,
  );
}
