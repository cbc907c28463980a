import { PenstockError, type ErrorOptions } from '../../ports/penstock-error.ts';

interface HttpFailure {
  status: number;
  message: string;
  response?: { headers: Record<string, string | number | undefined>; data?: unknown };
}

/** GitHub asks to wait at least this long after a secondary limit that names no time. */
const SECONDARY_LIMIT_WAIT_MS = 60_000;
const MAX_MESSAGE_CHARACTERS = 500;

/**
 * GitHub's failure in the project's words. The octokit error is not kept as a cause: it holds the request, with its body
 * and headers.
 */
export function translateError(error: unknown, route: string, subject: string): PenstockError {
  const failure = asHttpFailure(error);
  const reason = (failure === undefined ? describe(error) : failure.message).slice(0, MAX_MESSAGE_CHARACTERS);
  if (failure?.response === undefined)
    return notAnswered(error, `${route} for ${subject} got no answer from GitHub: ${reason}`);
  const text = `GitHub answered ${failure.status} to ${route} for ${subject}: ${reason}`;
  return byStatus(failure, failure.response.headers, text);
}

/** HTTP status of a translated failure, where a caller has to tell two of a code apart. */
export function hasReason(error: unknown, reason: RegExp): boolean {
  return error instanceof PenstockError && reason.test(error.message);
}

function byStatus(
  failure: HttpFailure,
  headers: Record<string, string | number | undefined>,
  text: string,
): PenstockError {
  const { status } = failure;
  if (status === 429 || (status === 403 && isLimit(failure, headers))) {
    return new PenstockError('rate_limited', text, { retry: 'later', afterMs: waitMs(headers) });
  }
  if (status >= 500) return new PenstockError('unavailable', text, later(headers));
  switch (status) {
    case 401:
      return new PenstockError('unauthenticated', `${text}. Check GITHUB_APP_ID and GITHUB_PRIVATE_KEY`);
    case 403:
      return new PenstockError(
        'forbidden',
        `${text}. Check the permissions of the GitHub App and its installation`,
      );
    case 404:
    case 410:
      return new PenstockError('not_found', `${text}. Does it exist, and is the GitHub App installed there?`);
    case 409:
      return new PenstockError('conflict', text);
    case 413:
      return new PenstockError('too_large', text);
    default:
      return new PenstockError(/already exists/i.test(text) ? 'conflict' : 'invalid', text);
  }
}

function notAnswered(error: unknown, text: string): PenstockError {
  const names = [read(error, 'name'), read(read(error, 'cause'), 'name')];
  const timedOut =
    names.some((name) => name === 'TimeoutError' || name === 'AbortError') || /timeout|aborted/i.test(text);
  return new PenstockError(timedOut ? 'timeout' : 'unavailable', text, { retry: 'later' });
}

function isLimit(failure: HttpFailure, headers: Record<string, string | number | undefined>): boolean {
  const spent = String(headers['x-ratelimit-remaining']) === '0';
  return spent || headers['retry-after'] !== undefined || /rate limit|abuse detection/i.test(failure.message);
}

function waitMs(headers: Record<string, string | number | undefined>): number {
  const seconds = Number(headers['retry-after']);
  if (seconds > 0) return seconds * 1_000;
  const reset = Number(headers['x-ratelimit-reset']) * 1_000 - Date.now();
  return String(headers['x-ratelimit-remaining']) === '0' && reset > 0 ? reset : SECONDARY_LIMIT_WAIT_MS;
}

function later(headers: Record<string, string | number | undefined>): ErrorOptions {
  const seconds = Number(headers['retry-after']);
  return seconds > 0 ? { retry: 'later', afterMs: seconds * 1_000 } : { retry: 'later' };
}

function asHttpFailure(error: unknown): HttpFailure | undefined {
  if (isHttpFailure(error)) return error;
  // GraphQL answers 200 to what it refuses.
  const refused = read(error, 'name') === 'GraphqlResponseError';
  return refused ? { status: 422, message: describe(error), response: { headers: {} } } : undefined;
}

function isHttpFailure(error: unknown): error is HttpFailure {
  return typeof read(error, 'status') === 'number';
}

function read(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}
