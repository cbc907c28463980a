import { z } from 'zod';
import { tenantSettings } from './tenant-settings.ts';

const licence = z.strictObject({
  /** From then on nothing new is taken in; what runs goes on. Absent: it does not expire. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

/** Body of `PUT /api/tenants/{id}`: all of it, in place of what there is. */
export const tenantBody = z.strictObject({ licence, settings: tenantSettings });
export type TenantBody = z.infer<typeof tenantBody>;

/** `GET /api/tenants/{id}`. */
export const tenantView = z.object({
  id: z.string(),
  licence: z.object({ expiresAt: z.iso.datetime().optional() }),
  /** What the tenant has set; what is absent is the platform's own. */
  settings: tenantSettings,
  /** Why the stored settings are not in force: somebody changed the record by hand. Absent: they are. */
  ignored: z.array(z.string()).optional(),
});
export type TenantView = z.infer<typeof tenantView>;
