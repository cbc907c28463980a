import type { MiddlewareHandler } from 'hono';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { authenticateCaller, requireJson } from '../../shared/runtime/http-door.ts';
import type { Role } from '../../shared/ports/identity.ts';
import type { ApiEnv } from './api-env.ts';

/** Open to operators too, who need not be developers of the tenant. */
const OPERATOR_PATHS = /^\/(health|api\/dead-letters(\/.*)?)$/;
/** Open to team admins, who need not be either. */
const ADMIN_PATHS = /^\/api\/tenants\/[^/]+$/;

/** The others change something and have a body: JSON, which a form of another site cannot send. A DELETE it cannot send at all. */
const METHODS_WITHOUT_BODY = new Set(['GET', 'HEAD', 'DELETE']);

/** Lets in who has a role for the path; without, there is no answer but a problem. */
export function authenticate(runtime: Runtime): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const caller = await authenticateCaller(runtime.identity, context, rolesFor(context.req.path));
    context.set('caller', caller);
    if (!METHODS_WITHOUT_BODY.has(context.req.method)) requireJson(context);
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  };
}

function rolesFor(path: string): Role[] {
  if (OPERATOR_PATHS.test(path)) return ['developer', 'operator'];
  if (ADMIN_PATHS.test(path)) return ['developer', 'team_admin'];
  return ['developer'];
}
