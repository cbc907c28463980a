import type { z } from 'zod';
import { problem } from '../../messages/problem.ts';
import type { Clock } from '../../ports/clock.ts';
import { PenstockError, isTransient, type ErrorCode } from '../../ports/penstock-error.ts';

/** Per request, and for moving one file. */
const REQUEST_TIMEOUT_MS = 30_000;
const TRANSFER_TIMEOUT_MS = 120_000;
/** Waits between tries; the last try's error is thrown. Every call of the attempts API may be repeated. */
const RETRY_WAITS_MS = [250, 1_000, 3_000];
export const MAX_DOWNLOAD_BYTES = 128 * 1024 * 1024;
const MAX_DETAIL_CHARS = 2_000;

export interface AttemptClientConfig {
  /** Of the platform, without a trailing slash. */
  url: string;
  fetch: typeof globalThis.fetch;
  clock: Clock;
}

/** HTTP towards the platform: JSON with a token, bytes with a signed URL, transient failures tried again. */
export interface AttemptClient {
  post<T>(
    path: string,
    body: object,
    options: { answer: z.ZodType<T>; token?: string; signal?: AbortSignal },
  ): Promise<T>;
  download(url: string): Promise<Uint8Array>;
  upload(url: string, bytes: Uint8Array): Promise<void>;
}

export function createAttemptClient({ url, fetch, clock }: AttemptClientConfig): AttemptClient {
  /** `read` belongs to the try: an answer that breaks off in its body is as good as none. */
  async function send<T>(target: string, init: RequestInit, { timeoutMs, read }: Reading<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await sendOnce(target, init, { timeoutMs, read });
      } catch (error) {
        const waitMs = RETRY_WAITS_MS[attempt];
        if (waitMs === undefined || !isTransient(error)) throw error;
        await clock.sleep(waitMs);
      }
    }
  }

  async function sendOnce<T>(target: string, init: RequestInit, { timeoutMs, read }: Reading<T>): Promise<T> {
    const what = `${init.method ?? 'GET'} ${new URL(target).pathname}`;
    try {
      const response = await fetch(target, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) throw await responseError(what, response);
      return await read(response);
    } catch (error) {
      throw error instanceof PenstockError ? error : connectionError(what, timeoutMs, error);
    }
  }

  return {
    async post(path, body, { answer, token }) {
      const headers = {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const text = await send(`${url}${path}`, init, {
        timeoutMs: REQUEST_TIMEOUT_MS,
        read: (response) => response.text(),
      });
      const parsed = answer.safeParse(parseJson(text));
      if (parsed.success) return parsed.data;
      const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
      throw new PenstockError('internal', `POST ${path} answered in a shape this version does not know.`, {
        reasons,
      });
    },
    download: (target) =>
      send(target, { method: 'GET' }, { timeoutMs: TRANSFER_TIMEOUT_MS, read: readBounded }),
    upload(target, bytes) {
      const init = {
        method: 'PUT',
        body: Buffer.from(bytes),
        headers: { 'content-type': 'application/octet-stream' },
      };
      const read = async (response: Response) => response.body?.cancel();
      return send(target, init, { timeoutMs: TRANSFER_TIMEOUT_MS, read });
    },
  };
}

interface Reading<T> {
  timeoutMs: number;
  read: (response: Response) => Promise<T>;
}

function connectionError(what: string, timeoutMs: number, cause: unknown): PenstockError {
  const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
  const message = isTimeout
    ? `${what} got no whole answer within ${timeoutMs} ms.`
    : `${what} did not reach the platform, or its answer broke off.`;
  return new PenstockError(isTimeout ? 'timeout' : 'unavailable', message, { retry: 'later', cause });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const codes: Partial<Record<number, ErrorCode>> = {
  // The token dies with the lease: whoever's is refused has lost its claim. Without a reason of ours it was Cloud Run that did not
  // know who asks, and the next ID token may be the better one.
  401: 'stale',
  402: 'budget',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  409: 'stale',
  410: 'stale',
  413: 'too_large',
  429: 'rate_limited',
};

async function responseError(what: string, response: Response): Promise<PenstockError> {
  const { status } = response;
  const parsed = problem.safeParse(await response.json().catch(() => undefined));
  const detail = parsed.success ? parsed.data.detail : 'no reason given';
  const reasons = parsed.success
    ? (parsed.data.errors ?? []).map(({ path, message }) => `${path}: ${message}`)
    : [];
  const isPassing = status >= 500 || (status === 401 && !parsed.success);
  const byStatus = isPassing ? 'unavailable' : (codes[status] ?? 'invalid');
  const code = parsed.success && parsed.data.code === 'conflict' ? 'conflict' : byStatus;
  const retry = code === 'unavailable' || code === 'timeout' || code === 'rate_limited' ? 'later' : 'never';
  return new PenstockError(code, `${what} answered ${status}: ${detail.slice(0, MAX_DETAIL_CHARS)}`, {
    retry,
    reasons,
  });
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > MAX_DOWNLOAD_BYTES) {
      throw new PenstockError(
        'too_large',
        `A file of this attempt has more than ${MAX_DOWNLOAD_BYTES} bytes.`,
      );
    }
  }
  return Buffer.concat(chunks);
}
