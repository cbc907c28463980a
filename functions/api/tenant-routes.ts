import { HTTPException } from 'hono/http-exception';
import { readTenant, type TenantState, writeTenant } from '../../shared/core/tenant.ts';
import { tenantBody } from '../../shared/messages/tenant.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { readJson } from '../../shared/runtime/http-door.ts';
import type { ApiApp, ApiContext } from './api-env.ts';

/** What a team admin may see and change of the tenant (S-03, 002-16). */
export function addTenantRoutes(app: ApiApp, { ports }: Runtime): void {
  app.get('/api/tenants/:id', async (context) => {
    return answer(context, await readTenant(ports.store, ownTenant(context)));
  });

  app.put('/api/tenants/:id', async (context) => {
    const tenant = ownTenant(context);
    const tag = tagOf(context.req.header('if-match'));
    const body = tenantBody.parse(await readJson(context));
    const written = await writeTenant(ports, { tenant, tag, actor: context.var.caller.actor }, body);
    if (written !== 'changed') return answer(context, written);
    throw new HTTPException(412, {
      message: `tenant ${tenant} was changed meanwhile; read it again, make your change on that, and send its ETag`,
    });
  });
}

/** Of another tenant nobody learns here whether there is one. */
function ownTenant(context: ApiContext): string {
  const { tenant, actor, roles } = context.var.caller;
  if (context.req.param('id') !== tenant) {
    throw new PenstockError('not_found', `there is no such tenant; yours is ${tenant}`);
  }
  if (roles.includes('team_admin')) return tenant;
  throw new PenstockError(
    'forbidden',
    `${actor} is not a team admin of tenant ${tenant}; ask one for the role`,
  );
}

function tagOf(header: string | undefined): string {
  if (header !== undefined) return header.replace(/^(W\/)?"(.*)"$/, '$2');
  throw new HTTPException(428, {
    message:
      'send If-Match with the ETag of what you have changed, so that nobody’s change is lost; * for whatever there is',
  });
}

function answer(context: ApiContext, { view, tag }: TenantState): Response {
  context.header('etag', `"${tag}"`);
  return context.json(view);
}
