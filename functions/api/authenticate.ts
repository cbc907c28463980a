import type { MiddlewareHandler } from 'hono';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { authenticateCaller, requireJson } from '../../shared/runtime/http-door.ts';
import type { Caller } from '../../shared/ports/identity.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { ApiEnv } from './api-env.ts';

/** Open to operators too, who need not be developers of the tenant. */
const OPERATOR_PATHS = /^\/(health|api\/dead-letters(\/.*)?)$/;
/** Open to team admins, who need not be either. */
const ADMIN_PATHS = /^\/api\/tenants\/[^/]+$/;

/** The others change something and have a body: JSON, which a form of another site cannot send. A DELETE it cannot send at all. */
const METHODS_WITHOUT_BODY = new Set(['GET', 'HEAD', 'DELETE']);

/** Lets in who the identity port knows as a developer; without, there is no answer but a problem. */
export function authenticate(runtime: Runtime): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const caller = await authenticateCaller(runtime.identity, context);
    checkRole(caller, context.req.path);
    context.set('caller', caller);
    if (!METHODS_WITHOUT_BODY.has(context.req.method)) requireJson(context);
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  };
}

function checkRole({ actor, roles }: Caller, path: string): void {
  if (roles.includes('developer')) return;
  if (OPERATOR_PATHS.test(path) && roles.includes('operator')) return;
  if (ADMIN_PATHS.test(path) && roles.includes('team_admin')) return;
  throw new PenstockError(
    'forbidden',
    `${actor} is not a developer of this tenant; ask its team admin for the role`,
  );
}
