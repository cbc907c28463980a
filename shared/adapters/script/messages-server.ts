import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  decodeRequest,
  encodeEvents,
  encodeMessage,
  type WireAnswer,
  type WireRequest,
} from './messages-protocol.ts';
import { simulateInputTokens, simulateUsage } from './simulated-usage.ts';

/** The Messages API's own limit of a request body. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface MessagesServer {
  /** Base URL for an Anthropic client; loopback only. */
  url: string;
  stop: () => Promise<void>;
}

export interface MessagesServerConfig {
  /** @default a free one */
  port?: number;
  /** Must depend on the request alone: a repeated request after a crash gets the same answer. */
  answer: (request: WireRequest) => WireAnswer;
}

/** Serves `POST /v1/messages`, streamed or not, and `/v1/messages/count_tokens` of the Anthropic API on loopback. */
export async function startMessagesServer({
  port = 0,
  answer,
}: MessagesServerConfig): Promise<MessagesServer> {
  const server = createServer((request, response) => {
    serve(request, response, answer).catch((error: unknown) => {
      sendError(response, 500, 'api_error', error instanceof Error ? error.message : String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return { url: `http://127.0.0.1:${address.port}`, stop };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  answer: MessagesServerConfig['answer'],
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://loopback').pathname;
  const isCount = path === '/v1/messages/count_tokens';
  if (request.method !== 'POST' || (!isCount && path !== '/v1/messages')) {
    return sendError(response, 404, 'not_found_error', `There is no ${request.method} ${path} here.`);
  }
  const body = await readBody(request);
  if (body === undefined) return sendError(response, 413, 'request_too_large', 'The body is over 32 MB.');
  const decoded = decodeRequest(parseJson(body));
  if (typeof decoded === 'string') return sendError(response, 400, 'invalid_request_error', decoded);
  if (isCount) return sendJson(response, 200, { input_tokens: simulateInputTokens(decoded) });
  sendAnswer(response, decoded, answer(decoded));
}

function sendAnswer(response: ServerResponse, request: WireRequest, answer: WireAnswer): void {
  if ('error' in answer) {
    return sendError(response, answer.error.status, answer.error.type, answer.error.message);
  }
  const usage = { ...simulateUsage(request, answer.blocks), ...answer.usage };
  const id = `msg_${digest([request.turns, answer.blocks])}`;
  const message = encodeMessage(id, request.model, { ...answer, usage });
  if (!request.stream) return sendJson(response, 200, message);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.end(encodeEvents(message));
}

/** 24 hex characters that depend on nothing but the value. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 24);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  sendJson(response, status, { type: 'error', error: { type, message } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
