import { getConnInfo } from '@hono/node-server/conninfo';
import type { MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { Caller } from '../../shared/ports/identity.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { ApiContext, ApiEnv } from './api-env.ts';

/** Open to operators too, who need not be developers of the tenant. */
const operatorPaths = new Set(['/health', '/api/dead-letters']);

/** Lets in who the identity port knows as a developer; without, there is no answer but a problem. */
export function authenticate(runtime: Runtime): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const remoteAddress = remoteAddressOf(context);
    const caller = await runtime.identity.authenticate({ headers: context.req.raw.headers, remoteAddress });
    checkRole(caller, context.req.path);
    context.set('caller', caller);
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') checkContentType(context);
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  };
}

function checkRole({ actor, roles }: Caller, path: string): void {
  if (roles.includes('developer')) return;
  if (operatorPaths.has(path) && roles.includes('operator')) return;
  throw new PenstockError(
    'forbidden',
    `${actor} is not a developer of this tenant; ask its team admin for the role`,
  );
}

/** A form of another site cannot send JSON without a preflight, which nobody answers here. */
function checkContentType(context: ApiContext): void {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new HTTPException(415, { message: 'send this request with content-type: application/json' });
}

/** Absent where no socket stands behind the request, as in tests. */
function remoteAddressOf(context: ApiContext): string | undefined {
  const bindings = context.env as { incoming?: unknown; server?: unknown } | undefined;
  if (bindings?.incoming === undefined && bindings?.server === undefined) return undefined;
  return getConnInfo(context).remote.address;
}
