import type { Log } from '../../ports/log.ts';

export const REQUEST_TIMEOUT_MS = 30_000;
const MAX_RETRIES = 2;
/** The waits are once and four times this. */
const RETRY_BASE_MS = 250;
/** Statuses that say the same however often one asks; all others above 399 are tried again. */
const ANSWERS = [400, 401, 403, 404, 406, 409, 410, 413, 422, 429, 451];
/** A longer wait that GitHub asks for is the engine's business, not ours. */
const MAX_WAIT_SECONDS = 5;

/** Few retries, a deadline for each request, and throttling except for a stand-in on this machine. */
export function octokitOptions(config: { apiUrl: string; log: Log; fetch?: typeof fetch }) {
  const { log } = config;
  const isLoopback = /^(?:127\.|localhost$|\[::1\]$)/.test(new URL(config.apiUrl).hostname);
  return {
    baseUrl: config.apiUrl.replace(/\/$/, ''),
    userAgent: 'penstock',
    request: { fetch: withDeadline(config.fetch ?? fetch) },
    retry: { retries: MAX_RETRIES, doNotRetry: ANSWERS, retryAfterBaseValue: RETRY_BASE_MS },
    throttle: { enabled: !isLoopback, onRateLimit: mayWait, onSecondaryRateLimit: mayWait },
    log: {
      debug: () => {},
      info: () => {},
      warn: (message: string) => log.warn('github client', { detail: message }),
      error: (message: string) => log.warn('github client', { detail: message }),
    },
  };
}

function mayWait(afterSeconds: number, _options: unknown, _octokit: unknown, retryCount: number): boolean {
  return afterSeconds <= MAX_WAIT_SECONDS && retryCount < 1;
}

/** Each try gets its own deadline, the ones that octokit makes by itself too. */
function withDeadline(send: typeof fetch): typeof fetch {
  return (input, init) => {
    const deadline = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const signal = init?.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    return send(input, { ...init, signal });
  };
}
