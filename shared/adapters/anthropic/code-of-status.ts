import type { ErrorCode } from '../../ports/penstock-error.ts';

/** What an HTTP status of the Messages API, or of what speaks it, means to our callers. */
export function codeOfStatus(status: number | undefined): ErrorCode {
  if (status === undefined || status >= 500) return 'unavailable';
  const codes: Partial<Record<number, ErrorCode>> = {
    401: 'unauthenticated',
    402: 'budget',
    403: 'unauthenticated',
    404: 'not_found',
    408: 'timeout',
    409: 'stale',
    413: 'too_large',
    429: 'rate_limited',
  };
  return codes[status] ?? 'invalid';
}
