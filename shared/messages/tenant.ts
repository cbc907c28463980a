import { z } from 'zod';
import { tenantMembers } from './member.ts';
import { tenantSettings } from './tenant-settings.ts';

const licence = z.strictObject({
  /** From then on nothing new is taken in; what runs goes on. Absent: it does not expire. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

/**
 * Body of `PUT /api/tenants/{id}`: all of it, in place of what there is. Only members stay as they are when none are given:
 * who does not know of them must not lock everybody out.
 */
export const tenantBody = z.strictObject({
  licence,
  settings: tenantSettings,
  members: tenantMembers.optional(),
});
export type TenantBody = z.infer<typeof tenantBody>;

/** `GET /api/tenants/{id}`. */
export const tenantView = z.object({
  id: z.string(),
  licence: z.object({ expiresAt: z.iso.datetime().optional() }),
  members: tenantMembers,
  /** What the tenant has set; what is absent is the platform's own. */
  settings: tenantSettings,
  /** Why the stored settings or members are not in force: somebody changed the record by hand. Absent: they are. */
  ignored: z.array(z.string()).optional(),
});
export type TenantView = z.infer<typeof tenantView>;
