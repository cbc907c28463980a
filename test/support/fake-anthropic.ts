import { createServer } from 'node:http';
import { z } from 'zod';

const bodyShape = z.record(z.string(), z.unknown());

export interface FakeReply {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** `hang`: the headers come, the body never ends. `reset`: the connection is cut. @default 'end' */
  ending?: 'end' | 'hang' | 'reset';
}

export interface FakeCall {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
}

export interface FakeAnthropic {
  url: string;
  calls: FakeCall[];
  stop: () => Promise<void>;
}

/** An Anthropic API that answers exactly what a test says; `reply` gets the call and how many came before it. */
export async function startFakeAnthropic(
  reply: (call: FakeCall, earlier: number) => FakeReply,
): Promise<FakeAnthropic> {
  const calls: FakeCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = bodyShape.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      const call = { path: request.url ?? '', headers: request.headers, body };
      const { status = 200, headers = {}, body: text = '', ending = 'end' } = reply(call, calls.length);
      calls.push(call);
      if (ending === 'reset') {
        request.socket.destroy();
        return;
      }
      response.writeHead(status, headers);
      response.write(text === '' ? ' ' : text);
      if (ending === 'end') response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${address.port}`, calls, stop };
}

/** An answer as server-sent events, with the given content blocks as they stand. */
export function streamed(
  content: Record<string, unknown>[],
  stopReason: string,
  usage: Record<string, number> = { input_tokens: 10, output_tokens: 5 },
): FakeReply {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-5-5' };
  const events: [string, object][] = [
    [
      'message_start',
      { message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage } },
    ],
    ...content.flatMap((block, index): [string, object][] => [
      ['content_block_start', { index, content_block: block }],
      ['content_block_stop', { index }],
    ]),
    ['message_delta', { delta: { stop_reason: stopReason, stop_sequence: null }, usage }],
    ['message_stop', {}],
  ];
  const body = events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  return { headers: { 'content-type': 'text/event-stream' }, body: body.join('') };
}

/** An error answer of the API. */
export function failed(status: number, type: string, headers: Record<string, string> = {}): FakeReply {
  const body = JSON.stringify({ type: 'error', error: { type, message: `this is ${type}` } });
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}
