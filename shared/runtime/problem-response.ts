import { STATUS_CODES } from 'node:http';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { Problem } from '../messages/problem.ts';
import type { Log } from '../ports/log.ts';
import { type ErrorCode, PenstockError } from '../ports/penstock-error.ts';

/** What a body has to be. */
export const BODY_IS_NOT_JSON = 'the body is not JSON in valid Unicode';

const statuses: Record<ErrorCode, 400 | 401 | 402 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503 | 504> = {
  invalid: 400,
  unauthenticated: 401,
  budget: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  stale: 409,
  too_large: 413,
  refused: 422,
  rate_limited: 429,
  no_capacity: 503,
  unavailable: 503,
  timeout: 504,
  config: 500,
  internal: 500,
};

/** Below it only our own ask (routes.ts): jobs, workflows and schedulers, which come again for what may pass. */
const OUR_OWN = '/internal/';
const RETRY_AFTER_SECONDS = 10;

/** Every error of an HTTP function as RFC 9457; what nobody foresaw says nothing of its inside. */
export function problemResponse(error: unknown, context: Context, log: Log): Response {
  const problem = toProblem(error, context.req.path);
  if (problem.status >= 500) {
    log.error(error instanceof Error ? error.message : String(error), { path: context.req.path });
  }
  return context.body(JSON.stringify(problem), problem.status as 400, problemHeaders(problem));
}

export function problemHeaders({ status }: Problem): Record<string, string> {
  const type = { 'content-type': 'application/problem+json' };
  return status === 503 ? { ...type, 'retry-after': String(RETRY_AFTER_SECONDS) } : type;
}

/** What nobody foresaw may pass, as everywhere (`isTransient`): our own are told to come again. Others see our fault as one. */
export function toProblem(error: unknown, requestPath = ''): Problem {
  if (error instanceof z.ZodError) {
    const errors = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    return problemOf('invalid', 400, 'the request is not what this route takes', errors);
  }
  if (error instanceof PenstockError) {
    const errors = error.reasons.map((message) => ({ path: '', message }));
    return problemOf(error.code, statuses[error.code], error.message, errors);
  }
  if (error instanceof HTTPException)
    return problemOf('http', error.status, error.message || 'the request was refused', []);
  const detail = 'something went wrong on our side; the log has it';
  return requestPath.startsWith(OUR_OWN)
    ? problemOf('unavailable', 503, detail, [])
    : problemOf('internal', 500, detail, []);
}

/** For a function that could not be opened, which the next request tries again: never the fault of whoever asks. */
export function problemOfRefusal(error: unknown, path: string): Problem {
  const problem = toProblem(error, path);
  const ours =
    problem.status >= 500 ? problem : problemOf('config', 500, problem.detail, problem.errors ?? []);
  return path.startsWith(OUR_OWN) ? { ...ours, status: 503 } : ours;
}

/** For a body that was refused before it came to a function, with the status that it was refused with. */
export function problemOfBody(status: number): Problem {
  return status === 400
    ? toProblem(new PenstockError('invalid', BODY_IS_NOT_JSON))
    : problemOf('http', status, `the body was refused: ${STATUS_CODES[status] ?? 'it cannot be read'}`, []);
}

function problemOf(
  code: string,
  status: number,
  detail: string,
  errors: Problem['errors'] & object,
): Problem {
  const title = code.replaceAll('_', ' ');
  return {
    type: `urn:penstock:problem:${code}`,
    code,
    title,
    status,
    detail,
    ...(errors.length > 0 ? { errors } : {}),
  };
}
