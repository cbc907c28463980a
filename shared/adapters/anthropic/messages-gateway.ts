import { z } from 'zod';
import { countedCall, refusedField } from '../../messages/model-call.ts';
import type { GatewayAnswer, MessagesGateway } from '../../ports/messages-gateway.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { ApiKey } from './api-key.ts';
import { retryAfterMs } from './capped-fetch.ts';
import { codeOfStatus } from './code-of-status.ts';

export interface MessagesGatewayConfig {
  baseUrl: string;
  apiKey: ApiKey;
  fetch?: typeof globalThis.fetch;
}

const COUNT_TIMEOUT_MS = 30_000;
/** Fields of a request that the counting route takes. */
const COUNTED = Object.keys(countedCall.shape);
/**
 * Switches after which a token costs what it cost before, and nobody but the model is asked. Clients send others with every call,
 * most of them unused, so these are dropped: what one of them would have switched on is off, or refused with its own field.
 * Never to be added: `extended-cache-ttl`, `context-1m`, `fast-mode` and `output-300k` (other prices), `compact`, `advisor-tool`
 * and `server-side-fallback` (second answers), `web-search`, `web-fetch`, `code-execution` and `mcp-client` (networks).
 */
const FORWARDED_BETAS = new Set([
  'claude-code-20250219',
  'context-management-2025-06-27',
  'effort-2025-11-24',
  'fine-grained-tool-streaming-2025-05-14',
  'interleaved-thinking-2025-05-14',
  'structured-outputs-2025-11-13',
  'structured-outputs-2025-12-15',
]);
const FORWARDED_ANSWER_HEADERS = [
  'content-type',
  'retry-after',
  'retry-after-ms',
  'request-id',
  'x-should-retry',
];

const counted = z.object({ input_tokens: z.int() });

/** The Anthropic Messages API, or what speaks it, with the platform's key. */
export function createMessagesGateway({
  baseUrl,
  apiKey,
  fetch = globalThis.fetch,
}: MessagesGatewayConfig): MessagesGateway {
  const root = baseUrl.replace(/\/+$/, '');
  const post = async (
    path: string,
    body: object,
    headers: Headers,
    signal: AbortSignal,
  ): Promise<Response> => {
    const key = typeof apiKey === 'string' ? apiKey : await apiKey();
    const own: Record<string, string> = { 'content-type': 'application/json', 'x-api-key': key };
    own['anthropic-version'] = headers.get('anthropic-version') ?? '2023-06-01';
    const betas = forwardedBetas(headers);
    if (betas !== '') own['anthropic-beta'] = betas;
    try {
      return await fetch(`${root}${path}`, {
        method: 'POST',
        headers: own,
        body: JSON.stringify(body),
        signal,
        redirect: 'error',
      });
    } catch (cause) {
      throw new PenstockError(
        'unavailable',
        'the model provider could not be reached, or gave no answer in time; the call is tried again',
        // One that was cut before any answer was most likely never taken: connections that were idle for long often are.
        { retry: 'later', mayHaveCounted: signal.aborted, cause },
      );
    }
  };
  return {
    async countTokens(body) {
      const relevant = Object.fromEntries(
        COUNTED.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])),
      );
      const { error } = countedCall.safeParse(relevant);
      if (error !== undefined)
        throw new PenstockError('invalid', `no tokens were counted: ${refusedField(error)}`, {
          cause: error,
        });
      const response = await post(
        '/v1/messages/count_tokens',
        relevant,
        new Headers(),
        AbortSignal.timeout(COUNT_TIMEOUT_MS),
      );
      const parsed = counted.safeParse(await response.json().catch(() => undefined));
      if (response.ok && parsed.success) return parsed.data.input_tokens;
      const { code, retryAfterMs: afterMs } = faultOf(response);
      const retry = code === 'rate_limited' || code === 'unavailable' ? 'later' : 'never';
      const message = `the provider counted no tokens (HTTP ${response.status})`;
      throw new PenstockError(code, message, { retry, ...(afterMs === undefined ? {} : { afterMs }) });
    },
    async send(body, headers, signal) {
      return toAnswer(await post('/v1/messages', body, headers, signal));
    },
  };
}

function forwardedBetas(headers: Headers): string {
  const asked = (headers.get('anthropic-beta') ?? '').split(',').map((name) => name.trim());
  return asked.filter((name) => FORWARDED_BETAS.has(name)).join(',');
}

/** The account that has to be settled is the platform's own at the provider: no allotment of ours. */
function faultOf({ status, headers }: Response): NonNullable<GatewayAnswer['fault']> {
  const wait = retryAfterMs(headers);
  const code = status === 402 ? 'forbidden' : codeOfStatus(status);
  return { code, ...(wait === undefined ? {} : { retryAfterMs: Math.ceil(wait) }) };
}

function toAnswer(response: Response): GatewayAnswer {
  const headers = FORWARDED_ANSWER_HEADERS.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    status: response.status,
    ...(response.ok ? {} : { fault: faultOf(response) }),
    headers: Object.fromEntries(headers),
    body: response.body ?? new Blob([]).stream(),
  };
}
