import { memberOfDomain, type TenantMember, tenantMembers } from '../messages/member.ts';
import type { CallerOf, Person, Role } from '../ports/identity.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Ports } from './ports.ts';
import { createRecentReads } from './recent-reads.ts';
import { refs, type Tenant } from './refs.ts';
import { reasonsOf } from './settings.ts';

/** What the configuration says of people; e-mail addresses in small letters. */
export interface MembersConfig {
  /** Of whoever names none. */
  defaultTenant: string;
  /** Have every role in the default tenant, whatever its record says, and may set up the members of any other. */
  admins: readonly string[];
  /** Our own service accounts. */
  platformAccounts: readonly string[];
  /** What somebody may do in the default tenant who is no member of it. */
  strangerRole: 'none' | 'developer';
}

const MAX_AGE_MS = 5_000;
/** Tenants whose members one process remembers. */
const MAX_CACHED_TENANTS = 1_000;
const TENANT = /^[a-z][a-z0-9-]{0,38}$/;
const EVERY_ROLE: Role[] = ['developer', 'team_admin', 'operator'];

/**
 * Looks people up among the members of a tenant, as they were at most five seconds ago. A person belongs to whom they name and to
 * nobody by being named: a tenant that lists a stranger gets no hold of them.
 */
export function createMembers(
  ports: Pick<Ports, 'store' | 'clock' | 'log'>,
  config: MembersConfig,
): CallerOf {
  const recent = createRecentReads<TenantMember[]>(ports.clock, {
    maxAgeMs: MAX_AGE_MS,
    maxEntries: MAX_CACHED_TENANTS,
  });
  const load = async (tenant: string): Promise<TenantMember[]> => {
    const { members, ignored } = membersOf((await ports.store.get(refs.tenant(tenant)))?.data);
    if (ignored.length > 0) {
      ports.log.error(`members of tenant ${tenant} are ignored: ${ignored.join('; ')}`, { tenant });
    }
    return members;
  };

  return async (person, named) => {
    const tenant = named ?? config.defaultTenant;
    if (config.platformAccounts.includes(person.email)) {
      return { tenant: config.defaultTenant, actor: person.email, roles: ['platform'] };
    }
    if (!TENANT.test(tenant)) throw noMember(person, tenant);
    const isHome = tenant === config.defaultTenant;
    const roles = [
      ...rolesByConfig(person, config, isHome),
      ...rolesAmong(await recent.read(tenant, () => load(tenant)), person),
    ];
    if (roles.length === 0 && isHome && config.strangerRole !== 'none') roles.push(config.strangerRole);
    if (roles.length === 0) throw noMember(person, tenant);
    return { tenant, actor: person.email, roles: [...new Set(roles)] };
  };
}

/** The members that a record lists, and why none of them counts where somebody has written nonsense by hand. */
export function membersOf(record: Tenant | undefined): { members: TenantMember[]; ignored: string[] } {
  const parsed = tenantMembers.safeParse(record?.members ?? []);
  if (parsed.success) return { members: parsed.data, ignored: [] };
  return { members: [], ignored: reasonsOf(parsed.error).map((reason) => `members: ${reason}`) };
}

/** Who set the platform up sees no runs of other tenants, but can give each its first team admin. */
function rolesByConfig({ email }: Person, { admins }: MembersConfig, isHome: boolean): Role[] {
  if (!admins.includes(email)) return [];
  return isHome ? EVERY_ROLE : ['team_admin'];
}

function rolesAmong(members: readonly TenantMember[], { email, domain }: Person): Role[] {
  const names = [email, ...(domain === undefined ? [] : [memberOfDomain(domain)])];
  return members.filter(({ member }) => names.includes(member)).flatMap(({ roles }) => roles);
}

/** The same words for a tenant that does not exist: nobody learns which there are. */
function noMember({ email }: Person, tenant: string): PenstockError {
  return new PenstockError(
    'forbidden',
    `${email} is not a member of tenant ${tenant}; ask a team admin of it to add you (PUT /api/tenants/${tenant}), or name your tenant in the header X-Penstock-Tenant`,
  );
}
