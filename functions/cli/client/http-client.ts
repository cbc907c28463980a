import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { ApiClient } from './api-client.ts';

/** Until the head of an answer is there; a stream may last longer. */
const ANSWER_TIMEOUT_MS = 30_000;

/** The API of a server. `token` is sent as a bearer token. */
export function createHttpClient({ url, token }: { url: string; token?: string | undefined }): ApiClient {
  return {
    async request(path, init = {}) {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
      const timer = new AbortController();
      const timeout = setTimeout(
        () => timer.abort(new Error(`no answer in ${ANSWER_TIMEOUT_MS / 1000} s`)),
        ANSWER_TIMEOUT_MS,
      );
      const signal = init.signal ? AbortSignal.any([init.signal, timer.signal]) : timer.signal;
      try {
        return await fetch(`${url}${path}`, { ...init, headers, signal });
      } catch (error) {
        if (init.signal?.aborted === true) throw error;
        throw noAnswer(url, error);
      } finally {
        clearTimeout(timeout);
      }
    },
  };
}

function noAnswer(url: string, error: unknown): PenstockError {
  const advice = `start it with 'penstock up', or set PENSTOCK_URL or --url to where it runs`;
  return new PenstockError('unavailable', `nothing answers at ${url} (${reasonOf(error)}); ${advice}`, {
    retry: 'later',
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message;
  return error instanceof Error ? error.message : String(error);
}
