import type { z } from 'zod';
import { problem, type Problem } from '../../../shared/messages/problem.ts';
import { type ErrorCode, PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { ApiClient } from './api-client.ts';

/** An answer of the API as it came, for `--json`, and as this program reads it. */
export interface Answer<T> {
  raw: unknown;
  view: T;
}

/** Throws the problem that the API answered, with its reasons, as a `PenstockError`. */
export async function ask<T>(
  client: ApiClient,
  path: string,
  schema: z.ZodType<T>,
  init?: RequestInit,
): Promise<Answer<T>> {
  const response = await openAnswer(client, path, init);
  const raw: unknown = await response.json().catch(() => undefined);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { raw, view: parsed.data };
  const where = parsed.error.issues[0];
  const detail = where === undefined ? '' : ` (${where.path.join('.') || 'body'}: ${where.message})`;
  throw new PenstockError(
    'internal',
    `the answer to ${path} is not what this version of penstock reads${detail}; use the version that the server runs`,
  );
}

/** The answer with its body unread; throws what {@link ask} throws. */
export async function openAnswer(client: ApiClient, path: string, init?: RequestInit): Promise<Response> {
  const response = await client.request(path, init);
  if (!response.ok) throw await errorOf(response, path);
  return response;
}

async function errorOf(response: Response, path: string): Promise<PenstockError> {
  const body = problem.safeParse(await response.json().catch(() => undefined));
  const code = codeOf(response.status);
  const options = { retry: response.status >= 500 ? ('later' as const) : ('never' as const) };
  if (!body.success)
    return new PenstockError(
      code,
      `${path} was answered with status ${response.status} and no explanation`,
      options,
    );
  return new PenstockError(code, body.data.detail, {
    ...options,
    reasons: (body.data.errors ?? []).map(reasonLine),
  });
}

function reasonLine({ path, message }: NonNullable<Problem['errors']>[number]): string {
  return path === '' ? message : `${path}: ${message}`;
}

function codeOf(status: number): ErrorCode {
  if (status >= 500) return 'unavailable';
  const codes: Record<number, ErrorCode> = {
    401: 'unauthenticated',
    403: 'forbidden',
    404: 'not_found',
    409: 'conflict',
    413: 'too_large',
    422: 'refused',
    429: 'rate_limited',
  };
  return codes[status] ?? 'invalid';
}
