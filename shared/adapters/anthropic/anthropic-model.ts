import Anthropic from '@anthropic-ai/sdk';
import type { Log } from '../../ports/log.ts';
import type { Model, ModelAnswer, ModelRequest } from '../../ports/model.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { ApiKey } from './api-key.ts';
import { cappedFetch } from './capped-fetch.ts';
import { toMessageParams, type MessageParams } from './message-params.ts';
import { toModelAnswer } from './model-answer.ts';
import { translateError } from './translate-error.ts';

/** Retries inside one call; the engine counts attempts and makes all others. */
const MAX_RETRIES = 2;
/** How often a turn that the provider paused is continued within one call. */
const MAX_CONTINUATIONS = 3;

export interface AnthropicModelConfig {
  /** Exactly one of `apiKey` and `authToken`. */
  apiKey?: ApiKey;
  /** Token of an attempt: inside a job, the base URL is that of the attempts API. */
  authToken?: string;
  /** @default 'https://api.anthropic.com' */
  baseUrl?: string;
  /** `script`: the base URL is that of a script server. @default 'anthropic' */
  provider?: 'anthropic' | 'script';
  fetch?: typeof globalThis.fetch;
  log: Log;
}

/** A model behind the Anthropic Messages API: Anthropic itself, our attempts API, or a script server. */
export function createAnthropicModel(config: AnthropicModelConfig): Model {
  const provider = config.provider ?? 'anthropic';
  const client = createClient(config);
  const credential =
    config.apiKey === undefined ? 'the token of this attempt' : 'the key in ANTHROPIC_API_KEY';
  const run = <T>(request: ModelRequest, call: (signal: AbortSignal) => Promise<T>) =>
    withDeadline(request, credential, call);

  return {
    provider,
    answer: (request) =>
      run(request, async (signal) => {
        const { params, dropped } = toMessageParams(request, provider);
        if (dropped > 0) {
          config.log.warn('blocks of another model were left out', { model: request.model, dropped });
        }
        const message = await readMessage(client, { params, request, signal });
        return toModelAnswer(message, provider, request.model) satisfies ModelAnswer;
      }),
    countTokens: (request) =>
      run(request, async (signal) => {
        const { params } = toMessageParams(request, provider);
        const options = { signal, timeout: request.timeoutMs };
        return (await client.messages.countTokens(params, options)).input_tokens;
      }),
  };
}

function createClient({ apiKey, authToken, baseUrl, fetch }: AnthropicModelConfig): Anthropic {
  if ((apiKey === undefined) === (authToken === undefined)) {
    throw new PenstockError('config', 'A model needs an API key or the token of an attempt, and not both.');
  }
  return new Anthropic({
    // Both are always given, so that the SDK never looks for credentials in the environment or on disk.
    apiKey: apiKey ?? null,
    authToken: authToken ?? null,
    baseURL: baseUrl ?? 'https://api.anthropic.com',
    maxRetries: MAX_RETRIES,
    fetch: cappedFetch(fetch),
    logLevel: 'off',
  });
}

interface Reading {
  params: MessageParams['params'];
  request: ModelRequest;
  signal: AbortSignal;
}

/** Streams one answer and assembles it; a turn that the provider paused is continued where it stopped. */
async function readMessage(
  client: Anthropic,
  { params, request, signal }: Reading,
): Promise<Anthropic.Message> {
  const options = { signal, timeout: request.timeoutMs };
  const max_tokens = request.maxOutputTokens;
  let message: Anthropic.Message = await client.messages
    .stream({ ...params, max_tokens }, options)
    .finalMessage();
  for (let n = 0; message.stop_reason === 'pause_turn' && n < MAX_CONTINUATIONS; n += 1) {
    const messages = [...params.messages, { role: 'assistant' as const, content: message.content }];
    const next = await client.messages.stream({ ...params, messages, max_tokens }, options).finalMessage();
    message = joinMessages(message, next);
  }
  return message;
}

function joinMessages(first: Anthropic.Message, next: Anthropic.Message): Anthropic.Message {
  const [a, b] = [first.usage, next.usage];
  const usage = {
    ...b,
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cache_read_input_tokens: (a.cache_read_input_tokens ?? 0) + (b.cache_read_input_tokens ?? 0),
    cache_creation_input_tokens: (a.cache_creation_input_tokens ?? 0) + (b.cache_creation_input_tokens ?? 0),
  };
  return { ...next, content: [...first.content, ...next.content], usage };
}

/** Holds the whole call, the SDK's retries included, to `timeoutMs`. A caller's own abort is rethrown as its reason. */
async function withDeadline<T>(
  request: ModelRequest,
  credential: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const signals = request.signal === undefined ? [deadline] : [deadline, request.signal];
  try {
    return await call(AbortSignal.any(signals));
  } catch (error) {
    request.signal?.throwIfAborted();
    if (deadline.aborted) {
      const message = `Model ${request.model} gave no answer within ${request.timeoutMs} ms.`;
      throw new PenstockError('timeout', message, { retry: 'later', mayHaveCounted: true, cause: error });
    }
    throw translateError(error, { model: request.model, credential });
  }
}
