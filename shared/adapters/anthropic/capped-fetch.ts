/** The longest pause that the SDK may make between two tries of one call; a longer one belongs to the engine. */
export const MAX_RETRY_PAUSE_MS = 5_000;

type Fetch = typeof globalThis.fetch;

/**
 * A fetch that keeps the SDK from waiting out long `retry-after` times, which it honours without a cap,
 * and from repeating a 409, which from our own attempts API means that the attempt is over.
 */
export function cappedFetch(fetch: Fetch = globalThis.fetch): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const isFinal = response.status === 409 || (retryAfterMs(response.headers) ?? 0) > MAX_RETRY_PAUSE_MS;
    if (response.ok || !isFinal) return response;
    const headers = new Headers(response.headers);
    headers.set('x-should-retry', 'false');
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  };
}

/** Milliseconds that the other side asks to wait, from `retry-after-ms` or `retry-after` (seconds or a date). */
export function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return exact;
  const text = headers?.get('retry-after') ?? '';
  const seconds = Number.parseFloat(text);
  if (seconds >= 0) return seconds * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
