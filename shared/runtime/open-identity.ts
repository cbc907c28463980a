import { createLocalIdentity } from '../adapters/local/local-identity.ts';
import { createMembers } from '../core/members.ts';
import type { Ports } from '../core/ports.ts';
import type { Identity } from '../ports/identity.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { CommonConfig } from './config.ts';
import type { IdentityConfig } from './identity-config.ts';
import { lazily, whichever } from './lazily.ts';

export type OpenIdentityConfig = IdentityConfig & Pick<CommonConfig, 'PENSTOCK_TENANT' | 'PENSTOCK_TOKEN'>;

type Open = (config: OpenIdentityConfig, ports: Pick<Ports, 'store' | 'clock' | 'log'>) => Promise<Identity>;

/**
 * Who calls a function in the cloud, by the mode of its configuration; its library is read with the first request. `current` says which
 * token holds now, where it may be rotated meanwhile.
 */
export function openIdentity(
  config: OpenIdentityConfig,
  ports: Parameters<Open>[1],
  current: () => Promise<Pick<OpenIdentityConfig, 'PENSTOCK_TOKEN'>> = () => Promise.resolve(config),
): Identity {
  const mode = config.PENSTOCK_IDENTITY;
  const open = async (): Promise<Identity> => MODES[mode]({ ...config, ...(await current()) }, ports);
  // The other modes hold no secret, and keep the keys that they fetched.
  const find = mode === 'local' ? whichever : lazily;
  return { mode, ...find(open, ['authenticate']) };
}

const MODES: Record<Identity['mode'], Open> = {
  local: ({ PENSTOCK_TENANT: tenant, PENSTOCK_TOKEN: token }) =>
    Promise.resolve(createLocalIdentity({ tenant, ...(token === undefined ? {} : { token }) })),
  iam: async (config, ports) => {
    const { createIamIdentity } = await import('../adapters/google/iam-identity.ts');
    const audiences = config.PENSTOCK_OIDC_AUDIENCE;
    return createIamIdentity({ ...common(config, ports), ...(audiences === undefined ? {} : { audiences }) });
  },
  iap: async (config, ports) => {
    const { createIapIdentity } = await import('../adapters/google/iap-identity.ts');
    return createIapIdentity({ ...common(config, ports), audience: needed(config, 'PENSTOCK_IAP_AUDIENCE') });
  },
  oidc: async (config, ports) => {
    const { createOidcIdentity } = await import('../adapters/google/oidc-identity.ts');
    const keysUrl = config.PENSTOCK_OIDC_KEYS_URL;
    return createOidcIdentity({
      ...common(config, ports),
      issuer: needed(config, 'PENSTOCK_OIDC_ISSUER'),
      audiences: needed(config, 'PENSTOCK_OIDC_AUDIENCE'),
      ...(keysUrl === undefined ? {} : { keysUrl: new URL(keysUrl) }),
    });
  },
};

function common(...[config, ports]: Parameters<Open>) {
  const callerOf = createMembers(ports, {
    defaultTenant: config.PENSTOCK_TENANT,
    admins: config.PENSTOCK_ADMINS,
    platformAccounts: config.PENSTOCK_PLATFORM_ACCOUNTS,
    strangerRole: config.PENSTOCK_INVOKER_ROLE,
  });
  return { clock: ports.clock, callerOf };
}

/** For the compiler: a configuration without it is refused at start. */
function needed<K extends keyof OpenIdentityConfig>(
  config: OpenIdentityConfig,
  name: K,
): NonNullable<OpenIdentityConfig[K]> {
  const value = config[name];
  if (value !== undefined && value !== null) return value;
  throw new PenstockError('config', `PENSTOCK_IDENTITY=${config.PENSTOCK_IDENTITY} needs ${name}`);
}
