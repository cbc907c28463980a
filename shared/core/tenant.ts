import { createHash } from 'node:crypto';
import type { TenantBody, TenantView } from '../messages/tenant.ts';
import type { TenantMember } from '../messages/member.ts';
import { tenantSettings } from '../messages/tenant-settings.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { DocumentRef, Store, Versioned, Write } from '../ports/store.ts';
import { membersOf } from './members.ts';
import { nameForRecord } from './name-for-record.ts';
import type { Ports } from './ports.ts';
import { refs, type Tenant } from './refs.ts';
import { parseSettings, reasonsOf } from './settings.ts';
import { isoTime } from './views/iso-time.ts';

/** What a team admin may change, and a tag that changes with it. */
export interface TenantState {
  view: TenantView;
  tag: string;
}

export async function readTenant(store: Store, tenant: string): Promise<TenantState> {
  return stateOf(tenant, await readRecords(store, tenant));
}

/**
 * Replaces licence, settings and members in one commit, and tells the log who did it. `tag`: what the change was made on, or `*`
 * for whatever there is. `changed`: somebody else was faster.
 */
export async function writeTenant(
  { store, log }: Pick<Ports, 'store' | 'log'>,
  { tenant, tag, actor }: { tenant: string; tag: string; actor: string },
  { licence, settings, members }: TenantBody,
): Promise<TenantState | 'changed'> {
  const records = await readRecords(store, tenant);
  if (tag !== '*' && tag !== stateOf(tenant, records).tag) return 'changed';
  const { expiresAt } = licence;
  const kept = membersOf(records.tenant?.data).members;
  const record: Tenant = {
    v: 1,
    ...(expiresAt === undefined ? {} : { licenceExpiresAt: Date.parse(expiresAt) }),
    members: members ?? kept,
  };
  const { outcome } = await store.commit([
    replace(refs.tenant(tenant), records.tenant, record),
    replace(refs.settings(tenant), records.settings, { v: 1, ...settings }),
  ]);
  if (outcome !== 'committed') return 'changed';
  tell(log, { tenant, actor }, kept, members ?? kept);
  return readTenant(store, tenant);
}

/** Told in the log: a record that is rewritten for as long as the platform lives keeps no history. People stand there by hash. */
function tell(
  log: Ports['log'],
  { tenant, actor }: { tenant: string; actor: string },
  before: readonly TenantMember[],
  after: readonly TenantMember[],
): void {
  const [had, have] = [grantsOf(before), grantsOf(after)];
  const by = nameForRecord(actor);
  log.info(`tenant ${tenant} was changed by ${by}`, {
    tenant,
    by,
    granted: have.filter((grant) => !had.includes(grant)),
    revoked: had.filter((grant) => !have.includes(grant)),
  });
}

function grantsOf(members: readonly TenantMember[]): string[] {
  return members.flatMap(({ member, roles }) => roles.map((role) => `${nameForRecord(member)}: ${role}`));
}

/** Why nothing new is taken in for a tenant: its licence has expired. One without a record has none that could. */
export async function expiredLicence(
  ports: Pick<Ports, 'store' | 'clock'>,
  tenant: string,
): Promise<PenstockError | undefined> {
  const expiresAt = (await ports.store.get(refs.tenant(tenant)))?.data.licenceExpiresAt;
  if (expiresAt === undefined || ports.clock.now() < expiresAt) return undefined;
  return new PenstockError(
    'forbidden',
    `the licence of tenant ${tenant} expired at ${isoTime(expiresAt)}; a team admin can renew it (PUT /api/tenants/${tenant})`,
  );
}

interface Records {
  tenant: Versioned<Tenant> | undefined;
  settings: Versioned<object> | undefined;
}

async function readRecords(store: Store, id: string): Promise<Records> {
  const [tenant, settings] = await Promise.all([
    store.get(refs.tenant(id)),
    store.get<object>(refs.settings(id)),
  ]);
  return { tenant, settings };
}

function stateOf(id: string, { tenant, settings }: Records): TenantState {
  const stored = [tenant?.data ?? null, settings?.data ?? null];
  const tag = createHash('sha256').update(JSON.stringify(stored)).digest('hex').slice(0, 32);
  const expiresAt = tenant?.data.licenceExpiresAt;
  const parsed = parseSettings(settings?.data ?? {});
  const { members, ignored } = membersOf(tenant?.data);
  const reasons = [...(parsed.success ? [] : reasonsOf(parsed.error)), ...ignored];
  return {
    tag,
    view: {
      id,
      licence: expiresAt === undefined ? {} : { expiresAt: isoTime(expiresAt) },
      members,
      settings: parsed.success ? parsed.data : tenantSettings.parse({}),
      ...(reasons.length === 0 ? {} : { ignored: reasons }),
    },
  };
}

function replace(ref: DocumentRef<object>, known: Versioned<object> | undefined, data: object): Write {
  return known === undefined
    ? { op: 'create', ref, data }
    : { op: 'set', ref, data, ifVersion: known.version };
}
