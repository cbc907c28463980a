import type { ServerResponse } from 'node:http';
import {
  encodeEvents,
  encodeMessage,
  type WireAnswer,
  type WireRequest,
} from '../../../shared/adapters/script/messages-protocol.ts';
import { simulateUsage } from '../../../shared/adapters/script/simulated-usage.ts';
import type { ModelFault } from './fault.ts';

/** Longer than anybody here waits for a model. */
const SLOW_MS = 60_000;
const SAYING = 'The weather is fine today.';
/** A whole answer that fits no question. */
export const NONSENSE = {
  blocks: [{ type: 'text', text: SAYING }],
  stop: 'end',
} satisfies WireAnswer;

/** Answers a call as the fault says. */
export async function answerFault(
  how: ModelFault,
  request: WireRequest,
  response: ServerResponse,
): Promise<void> {
  switch (how) {
    case 'rate_limit':
      return refuse(response, 429, 'rate_limit_error', { 'retry-after': '1' });
    case 'overloaded':
      return refuse(response, 529, 'overloaded_error');
    case 'error':
      return refuse(response, 500, 'api_error');
    case 'slow':
      return wait(response);
    case 'garbage':
      return void stream(response).end('event: message_start\ndata: {"type":"message_st\n\n<html>502</html>');
    case 'cut': {
      const events = eventsOf(request);
      stream(response).write(events.slice(0, events.indexOf('event: content_block_stop')));
      return void setTimeout(() => response.destroy(), 100);
    }
    case 'nonsense':
      return void stream(response).end(eventsOf(request));
  }
}

function eventsOf(request: WireRequest): string {
  const usage = simulateUsage(request, NONSENSE.blocks);
  return encodeEvents(encodeMessage('msg_nonsense', request.model, { ...NONSENSE, usage }));
}

function stream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

function refuse(
  response: ServerResponse,
  status: number,
  type: string,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify({ type: 'error', error: { type, message: `the schedule says ${type}` } });
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

/** Until whoever asked has gone. */
function wait(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), SLOW_MS);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
