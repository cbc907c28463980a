import type { GoogleAuth } from 'google-auth-library';
import { callGoogle, type GoogleCall } from './google-call.ts';
import { readGoogleError } from './google-error-text.ts';

export interface GoogleRestConfig {
  /** Such as `https://run.googleapis.com`. */
  baseUrl: string;
  auth: Pick<GoogleAuth, 'getRequestHeaders'>;
}

export interface RestRequest {
  method: 'GET' | 'POST';
  /** With its leading slash. */
  path: string;
  query?: Record<string, string>;
  body?: object;
  /** In the body, and not to appear in an error that quotes it. */
  secret?: string;
}

/** One call to a REST API of Google, sent once and never repeated; its errors are those of `callGoogle`. */
export type GoogleRest = <T extends object>(call: GoogleCall, request: RestRequest) => Promise<T>;

/** What `callGoogle` reads: a status where there was an answer, else the code of the network. */
interface Failure {
  status?: number;
  code?: string | number;
  /** Why, in the older shape of Google's errors. */
  errors?: { reason: string | undefined }[];
}

/** The gRPC code. */
const ABORTED = 10;

/** Google's own clients would do, were their retries not theirs and the bodies not in their logs and errors. */
export function createGoogleRest({ baseUrl, auth }: GoogleRestConfig): GoogleRest {
  return <T extends object>(call: GoogleCall, request: RestRequest) =>
    callGoogle(call, async (signal) => {
      const url = urlOf(baseUrl, request);
      const headers = new Headers(await auth.getRequestHeaders(url));
      const { status, text } = await send(url, request, { headers, signal });
      if (status >= 400) throw refusal(status, text, request.secret);
      return parseAnswer(text) as T;
    });
}

function urlOf(baseUrl: string, { path, query = {} }: RestRequest): string {
  const parameters = new URLSearchParams(query).toString();
  return `${baseUrl.replace(/\/$/, '')}${path}${parameters === '' ? '' : `?${parameters}`}`;
}

async function send(
  url: string,
  { method, body }: RestRequest,
  { headers, signal }: { headers: Headers; signal: AbortSignal },
): Promise<{ status: number; text: string }> {
  if (body !== undefined) headers.set('content-type', 'application/json');
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  try {
    const response = await fetch(url, { method, headers, signal, ...sent });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    // `fetch` says only "fetch failed", and why in its cause.
    const { cause } = error as { cause?: { code?: unknown } };
    const code = typeof cause?.code === 'string' ? cause.code : 'ECONNRESET';
    throw failure(`the connection failed (${code})`, { code });
  }
}

function refusal(status: number, text: string, secret: string | undefined): Error {
  const { message, errors = [], status: canonical } = readGoogleError(text);
  const said = message ?? `HTTP ${status}`;
  return failure(secret === undefined ? said : said.replaceAll(secret, '(secret)'), {
    status,
    errors: errors.map(({ reason }) => ({ reason })),
    // HTTP has one status for what passes by itself and what exists already.
    ...(canonical === 'ABORTED' ? { code: ABORTED } : {}),
  });
}

/** A proxy's page in Google's place says as little about what was done as a lost answer. */
function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw failure('the answer is not JSON', { status: 502 });
  }
}

function failure(message: string, fields: Failure): Error {
  return Object.assign(new Error(message), fields);
}
