import { z } from 'zod';

/** What a member may do; each is given on its own. */
export const memberRoles = ['developer', 'team_admin', 'operator'] as const;
export type MemberRole = (typeof memberRoles)[number];

/** Of an e-mail address: RFC 5321. */
const MAX_MEMBER_CHARS = 254;
/** Single entries; an organisation with more people is a member as its domain. */
const MAX_MEMBERS = 200;
const DOMAIN_PREFIX = 'domain:';

const member = z
  .string()
  .max(MAX_MEMBER_CHARS)
  // Before anything else: letters of other alphabets look like ours, and some become ours when they are made small.
  .regex(/^[!-~]*$/, 'has ASCII letters only')
  .toLowerCase()
  .regex(
    /^(domain:[a-z0-9.-]+\.[a-z0-9-]+|[!-9;-?A-~]+@[a-z0-9.-]+)$/,
    'takes an e-mail address, also of a service account, or domain:example.com',
  );

/** Who belongs to a tenant, and what they may do there. */
export const tenantMember = z
  .strictObject({
    member,
    roles: z.array(z.enum(memberRoles)).min(1).max(memberRoles.length),
  })
  .refine(({ member: name, roles }) => !isDomain(name) || roles.every((role) => role === 'developer'), {
    path: ['roles'],
    error: 'of a whole domain can be developer only; name the people who administer or operate',
  });
export type TenantMember = z.infer<typeof tenantMember>;

export const tenantMembers = z
  .array(tenantMember)
  .max(MAX_MEMBERS)
  .refine((members) => new Set(members.map(({ member: name }) => name)).size === members.length, {
    error: 'names a member twice',
  });

export function memberOfDomain(domain: string): string {
  return DOMAIN_PREFIX + domain;
}

function isDomain(name: string): boolean {
  return name.startsWith(DOMAIN_PREFIX);
}
