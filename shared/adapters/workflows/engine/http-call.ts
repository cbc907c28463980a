import { connectionError, typeError, valueError } from '../errors.ts';
import { isMap, typeName, type Value, type ValueMap } from '../values.ts';
import { secondsOf } from './seconds.ts';
import { busyWith } from './clock.ts';
import type { Fiber } from './fiber.ts';
import { authorization } from './http-auth.ts';
import { type Exchange, exchange } from './http-exchange.ts';
import { RUN_LIMITS } from './run-limits.ts';
import type { CallContext } from './suspend.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
/** A second request does what one does. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** `http.get`, `http.post`, … and `http.request`. */
export async function callHttp(fiber: Fiber, name: string, args: ValueMap): Promise<Value> {
  const method = methodOf(name, args);
  const url = textOf(args, 'url', name);
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw valueError(`${name} takes an http or https URL, got '${url}'`);
  const { services } = fiber.execution;
  const request: Exchange = {
    method,
    url: withQuery(url, mapOf(args, 'query', name), name),
    headers: headersOf(mapOf(args, 'headers', name), name),
    body: args.get('body') ?? null,
    timeoutSeconds: secondsOf(args.get('timeout') ?? null, name, RUN_LIMITS.httpSeconds),
  };
  const auth = mapOf(args, 'auth', name);
  return await fiber.execution.suspend(fiber, name, async (context) => {
    if (!IDEMPOTENT.includes(method)) beginOnce(context, name);
    return await busyWith(services.clock, async () => {
      if (auth !== undefined) request.headers.set('authorization', await authorization(auth, url, services));
      return await exchange(fiber.execution, request);
    });
  });
}

/**
 * Before a request that must not be made twice by itself.
 * @throws ConnectionError when the process ended while it was under way: whether it arrived nobody knows
 */
export function beginOnce({ began, begin }: CallContext, name: string): void {
  if (began !== undefined)
    throw connectionError(
      `the connection of ${name} broke: the runner was started again before there was an answer`,
    );
  begin();
}

function methodOf(name: string, args: ValueMap): string {
  const method =
    name === 'http.request' ? textOf(args, 'method', name).toUpperCase() : name.slice(5).toUpperCase();
  if (METHODS.includes(method)) return method;
  throw valueError(`${name} takes as method one of ${METHODS.join(', ')}`);
}

function textOf(args: ValueMap, key: string, name: string): string {
  const value = args.get(key) ?? null;
  if (typeof value === 'string') return value;
  throw typeError(`${name} takes a string as ${key}, got ${typeName(value)}`);
}

function mapOf(args: ValueMap, key: string, name: string): ValueMap | undefined {
  const value = args.get(key) ?? null;
  if (value === null) return undefined;
  if (isMap(value)) return value;
  throw typeError(`${name} takes a map as ${key}, got ${typeName(value)}`);
}

function headersOf(given: ValueMap | undefined, name: string): Headers {
  const headers = new Headers();
  for (const [key, value] of given ?? []) {
    if (!isPlain(value)) throw typeError(`${name} takes headers of text, got a ${typeName(value)} as ${key}`);
    try {
      headers.set(key, String(value));
    } catch {
      throw valueError(`${name}: '${key}' cannot be sent as a header`);
    }
  }
  return headers;
}

function isPlain(value: Value): value is string | bigint | number | boolean {
  return ['string', 'bigint', 'number', 'boolean'].includes(typeof value);
}

/** A list is the same parameter again and again. */
export function withQuery(url: string, query: ValueMap | undefined, name: string): string {
  if (query === undefined || query.size === 0) return url;
  const whole = new URL(url);
  for (const [key, value] of query) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (!isPlain(one))
        throw typeError(`${name} takes plain values in query, got a ${typeName(one)} as ${key}`);
      whole.searchParams.append(key, String(one));
    }
  }
  return whole.href;
}
