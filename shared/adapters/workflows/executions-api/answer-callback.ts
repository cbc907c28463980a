import { bodyOf } from '../engine/http-exchange.ts';
import type { Runner } from '../engine/runner.ts';
import type { Value } from '../values.ts';
import { apiError } from './api-error.ts';
import type { Call } from './executions-api.ts';

const MAX_BYTES = 512 * 1024;

/** A request to a callback endpoint; what it says is the answer of `events.await_callback`. */
export async function answerCallback(runner: Runner, { request, query, id, rest }: Call): Promise<Response> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength > MAX_BYTES) throw apiError(400, `the body has more than ${MAX_BYTES / 1024} KB`);
  const { method, headers, url } = request;
  const type = headers.get('content-type')?.toLowerCase() ?? '';
  const httpRequest = new Map<string, Value>([
    ['body', bytes.byteLength === 0 ? null : bodyOf(bytes, type)],
    ['headers', new Map<string, Value>([...headers].map(([name, value]) => [name, value]))],
    ['method', method],
    ['query', new Map<string, Value>([...query].map(([name, value]) => [name, value]))],
    ['url', new URL(url).pathname],
  ]);
  const value = new Map<string, Value>([
    ['http_request', httpRequest],
    ['received_time', new Date(runner.now()).toISOString()],
    ['type', 'HTTP'],
  ]);
  const callback = rest.slice('/callbacks/'.length);
  const receipt = runner.receive({ execution: id, callback, method, value });
  if (receipt === 'accepted') return Response.json({});
  if (receipt === 'busy')
    throw apiError(429, `callback ${callback} has a request that the execution has not taken yet`);
  if (receipt === 'wrong_method')
    throw apiError(405, `callback ${callback} takes another method than ${method}`);
  throw apiError(404, `execution '${id}' has no callback ${callback}, or has ended`);
}
