import { getConnInfo } from '@hono/node-server/conninfo';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import type { Ports } from '../core/ports.ts';
import type { Caller, Identity, Role } from '../ports/identity.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { BODY_IS_NOT_JSON, problemResponse } from './problem-response.ts';
import { type Callers, traceRequests } from './trace-requests.ts';

export interface DoorOptions {
  /** Of the function. */
  name: string;
  maxBodyBytes: number;
  callers: Callers;
}

/** An app whose requests are traced, whose bodies are bounded and whose errors are problems, also where no route is. */
export function httpDoor({ log, trace }: Pick<Ports, 'log' | 'trace'>, options: DoorOptions): Hono {
  const { maxBodyBytes } = options;
  const app = new Hono();
  app.use(traceRequests(trace, options));
  const onError = () => {
    throw new PenstockError('too_large', `a body has at most ${maxBodyBytes} bytes here`);
  };
  app.use(bodyLimit({ maxSize: maxBodyBytes, onError }));
  app.onError((error, context) => problemResponse(error, context, log));
  app.notFound((context) => {
    const error = new PenstockError(
      'not_found',
      `there is no ${context.req.method} ${context.req.path}; /openapi.json lists what there is`,
    );
    return problemResponse(error, context, log);
  });
  return app;
}

/** Who calls, as the identity port knows it; one of the roles is needed. */
export async function authenticateCaller(
  identity: Identity,
  context: Context,
  roles: readonly Role[],
): Promise<Caller> {
  const caller = await identity.authenticate({
    headers: context.req.raw.headers,
    remoteAddress: remoteAddressOf(context),
  });
  if (roles.some((role) => caller.roles.includes(role))) return caller;
  throw new PenstockError(
    'forbidden',
    `${caller.actor} is ${caller.roles.join(' and ')} of tenant ${caller.tenant}, and this takes ${roles.join(' or ')}; ask a team admin of it for the role`,
  );
}

/** Absent where no socket stands behind the request, as in tests. */
function remoteAddressOf(context: Context): string | undefined {
  const bindings = context.env as { incoming?: unknown; server?: unknown } | undefined;
  if (bindings?.incoming === undefined && bindings?.server === undefined) return undefined;
  return getConnInfo(context).remote.address;
}

/** A form of another site cannot send JSON without a preflight, which nobody answers here. */
export function requireJson(context: Context): void {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new HTTPException(415, { message: 'send this request with Content-Type: application/json' });
}

/** The body as JSON that a record can hold. */
export async function readJson(context: Context): Promise<unknown> {
  try {
    const text = await context.req.text();
    // Only an escape can spell half a surrogate pair, and to look at each value takes ten times as long.
    return SURROGATE_ESCAPE.test(text) ? JSON.parse(text, refuseHalfCharacters) : JSON.parse(text);
  } catch (cause) {
    throw new PenstockError('invalid', BODY_IS_NOT_JSON, { cause });
  }
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** JSON can spell half a surrogate pair, which no record can hold. */
function refuseHalfCharacters(key: string, value: unknown): unknown {
  if (key.isWellFormed() && (typeof value !== 'string' || value.isWellFormed())) return value;
  throw new SyntaxError('half a surrogate pair');
}
