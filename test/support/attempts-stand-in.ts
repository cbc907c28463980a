import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  claimRequest,
  logRequest,
  proposal,
  attemptResult,
  type AttemptBrief,
  type AttemptResult,
  type RenewAnswer,
} from '../../shared/messages/attempt-api.ts';
import type { TranscriptLine } from '../../shared/messages/transcript-line.ts';
import { readBundle } from '../../shared/core/create-attempt.ts';

export interface AttemptsStandIn {
  url: string;
  ticket: string;
  /** Base of URLs for `put` blobs. */
  blobUrl(key: string): string;
  put(key: string, bytes: Uint8Array | string): void;
  get(key: string): Uint8Array | undefined;
  /** The attempt that the ticket buys. */
  offer(brief: AttemptBrief): void;
  lines(): TranscriptLine[];
  result(): AttemptResult | undefined;
  /** The change set taken by the platform. */
  accepted(): ReturnType<typeof readBundle> | undefined;
  /** What the next renewals answer; afterwards `continue`. */
  renewals: RenewAnswer[];
  /** Every token call is answered 409 from now on. */
  lose(): void;
  /** Paths of all calls, in order. */
  calls: string[];
  /** The `traceparent` of each call, empty where it had none. */
  traceparents: string[];
  /** Answers this status to the next calls of a path. */
  failNext(path: string, status: number, times: number): void;
  stop(): Promise<void>;
}

const TICKET = 'ticket-0123456789-0123456789-0123456789';
const TOKEN = 'token-0123456789-0123456789-0123456789';

/**
 * The attempts API over HTTP for one attempt, in memory: one-time ticket, token, numbered chunks, signed URLs that are plain ones,
 * and the model calls passed through to a Messages API.
 */
export async function startAttemptsStandIn({ modelUrl }: { modelUrl: string }): Promise<AttemptsStandIn> {
  const blobs = new Map<string, Uint8Array>();
  const chunks: TranscriptLine[][] = [];
  const calls: string[] = [];
  const traceparents: string[] = [];
  const renewals: RenewAnswer[] = [];
  const failures: { path: string; status: number }[] = [];
  let brief: AttemptBrief | undefined;
  let isBurned = false;
  let isLost = false;
  let result: AttemptResult | undefined;
  let accepted: ReturnType<typeof readBundle> | undefined;
  let origin = '';

  const handlers: Record<string, (body: unknown) => object> = {
    '/renew': () => renewals.shift() ?? { answer: 'continue', messages: [] },
    '/log': (body) => {
      const { n, lines } = logRequest.parse(body);
      if (n > chunks.length) throw new Error(`chunk ${n} came before ${chunks.length}`);
      chunks[n] ??= lines;
      return {};
    },
    '/propose': (body) => {
      const asked = proposal.parse(body);
      if (!('n' in asked)) throw new Error(`nobody answers a ${asked.kind} here`);
      const key = `${brief?.task}/${brief?.generation}/${asked.kind === 'upload' ? asked.purpose : 'change-set'}-${asked.n}`;
      if (asked.kind === 'upload') return { key, url: `${origin}/blobs/${key}` };
      accepted = readBundle(blobs.get(key) ?? new Uint8Array());
      return { key };
    },
    '/finish': (body) => {
      result = attemptResult.parse(body);
      return { outcome: 'stored' };
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://loopback').pathname;
    calls.push(path);
    traceparents.push(String(request.headers['traceparent'] ?? ''));
    const bytes = await readAll(request);
    if (path.startsWith('/blobs/')) return serveBlob(request, response, path.slice('/blobs/'.length), bytes);
    const route = path.replace('/internal/attempts', '');
    const failing = failures.findIndex((failure) => failure.path === route);
    if (failing >= 0)
      return problem(response, failures.splice(failing, 1)[0]?.status ?? 500, 'as the test wants');
    if (route === '/claim') return serveClaim(response, bytes);
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return problem(response, 401, 'no token');
    if (isLost) return problem(response, 409, 'the claim is gone');
    if (route.startsWith('/model/')) return passOn(request, response, route.slice('/model'.length), bytes);
    const handler = handlers[route];
    if (handler === undefined) return problem(response, 404, `there is no ${path}`);
    try {
      json(response, 200, handler(JSON.parse(new TextDecoder().decode(bytes))));
    } catch (error) {
      problem(response, 422, error instanceof Error ? error.message : String(error));
    }
  }

  function serveClaim(response: ServerResponse, bytes: Uint8Array): void {
    const { ticket } = claimRequest.parse(JSON.parse(new TextDecoder().decode(bytes)));
    if (ticket !== TICKET || isBurned || brief === undefined)
      return problem(response, 409, 'the ticket is used');
    isBurned = true;
    json(response, 200, { token: TOKEN, brief });
  }

  function serveBlob(
    request: IncomingMessage,
    response: ServerResponse,
    key: string,
    bytes: Uint8Array,
  ): void {
    if (request.headers.authorization !== undefined)
      return problem(response, 400, 'a signed URL needs no other credential');
    if (request.method === 'PUT') {
      blobs.set(key, bytes);
      return json(response, 200, {});
    }
    const found = blobs.get(key);
    if (found === undefined) return problem(response, 404, `there is no ${key}`);
    response.writeHead(200).end(found);
  }

  async function passOn(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    bytes: Uint8Array,
  ): Promise<void> {
    const answer = await fetch(`${modelUrl}${path}`, {
      method: request.method ?? 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(bytes),
    });
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? 'application/json',
    });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => problem(response, 500, String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  origin = `http://127.0.0.1:${address.port}`;
  return {
    url: origin,
    ticket: TICKET,
    calls,
    traceparents,
    renewals,
    blobUrl: (key) => `${origin}/blobs/${key}`,
    put: (key, bytes) => void blobs.set(key, Buffer.from(bytes)),
    get: (key) => blobs.get(key),
    offer(next) {
      brief = next;
      isBurned = false;
      isLost = false;
      result = undefined;
      accepted = undefined;
      chunks.length = 0;
    },
    lines: () => chunks.flat(),
    result: () => result,
    accepted: () => accepted,
    lose: () => void (isLost = true),
    failNext: (path, status, times) =>
      void failures.push(...Array.from({ length: times }, () => ({ path, status }))),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readAll(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function problem(response: ServerResponse, status: number, detail: string): void {
  json(response, status, { type: 'about:blank', title: 'refused', status, detail });
}

function json(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
