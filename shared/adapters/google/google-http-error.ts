import type { ErrorCode } from '../../ports/penstock-error.ts';

/** What an answer of Google's means to a caller. */
export interface Translation {
  code: ErrorCode;
  retry: 'never' | 'later';
  /** What to do next. */
  next: string;
}

const AGAIN = 'it is tried again';
const UNAVAILABLE: Translation = { code: 'unavailable', retry: 'later', next: AGAIN };
const TIMEOUT: Translation = { code: 'timeout', retry: 'later', next: AGAIN };
const RATE_LIMITED: Translation = { code: 'rate_limited', retry: 'later', next: AGAIN };
/** It is the platform that Google does not know, not who calls the platform. */
export const UNAUTHENTICATED: Translation = {
  code: 'config',
  retry: 'never',
  next: 'run it as a service account, or "gcloud auth application-default login"',
};

/** By HTTP status. A 403 is not here: it names the role of the call. */
const BY_STATUS: Record<number, Translation> = {
  400: { code: 'invalid', retry: 'never', next: 'the request has to change' },
  401: UNAUTHENTICATED,
  404: {
    code: 'config',
    retry: 'never',
    next: 'apply the Terraform configuration, or name the right project',
  },
  408: TIMEOUT,
  409: { code: 'conflict', retry: 'never', next: 'read it again' },
  412: { code: 'conflict', retry: 'never', next: 'read it again' },
  413: { code: 'too_large', retry: 'never', next: 'make it smaller' },
  429: RATE_LIMITED,
  499: UNAVAILABLE,
  504: TIMEOUT,
};

const FORBIDDEN = 403;
/** Some of Google's JSON APIs answer a spent quota with 403 and this reason. */
const SPENT_QUOTA = /rateLimitExceeded/i;
/** The token could not be had at all: no call was made. */
const NO_CREDENTIAL = /default credentials|invalid_grant|invalid_client|invalid_rapt|without `client_email`/i;
/** The connection broke, or what came was not what was sent. */
const PASSING_CODES =
  /^(?:E[A-Z_]+|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_[A-Z_]+|CONTENT_DOWNLOAD_MISMATCH|FILE_NO_UPLOAD\w*)$/;
const TIMEOUT_CODES = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT', 'AbortError', 'TimeoutError']);

/** Of Google's HTTP clients: `status` or a numeric `code`; numbers below 100 are gRPC's. */
export function httpStatus(error: unknown): number | undefined {
  const { status, code } = asFields(error);
  return [status, code].find((value): value is number => typeof value === 'number' && value >= 100);
}

/** `undefined`: neither HTTP nor the network, or a refusal that needs a role. */
export function httpTranslation(error: unknown): Translation | undefined {
  const { message, errors, code } = asFields(error);
  const status = httpStatus(error);
  if (status !== 403 && NO_CREDENTIAL.test(String(message))) return UNAUTHENTICATED;
  if (status === FORBIDDEN) return SPENT_QUOTA.test(JSON.stringify(errors ?? '')) ? RATE_LIMITED : undefined;
  if (status !== undefined) return BY_STATUS[status] ?? (status >= 500 ? UNAVAILABLE : undefined);
  if (typeof code !== 'string') return undefined;
  if (TIMEOUT_CODES.has(code)) return TIMEOUT;
  return PASSING_CODES.test(code) ? UNAVAILABLE : undefined;
}

export function isHttpForbidden(error: unknown): boolean {
  return httpStatus(error) === FORBIDDEN && httpTranslation(error) === undefined;
}

/** By shape, not by class: under a test runner an error may be of another realm. */
function asFields(error: unknown): Record<string, unknown> {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
}
