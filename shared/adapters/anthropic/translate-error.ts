import { AnthropicError, APIConnectionError, APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import { z } from 'zod';
import { PenstockError, type ErrorCode, type ErrorOptions } from '../../ports/penstock-error.ts';
import { retryAfterMs } from './capped-fetch.ts';
import { codeOfStatus } from './code-of-status.ts';

export interface CallContext {
  model: string;
  /** What the caller would have to correct when the other side does not let it in. */
  credential: string;
}

/** RFC 9457 body: only our own attempts API answers so. */
const problem = z.object({ detail: z.string(), code: z.string().optional(), status: z.number().optional() });

/** What the SDK throws, as the port's errors. Everything unknown counts as `unavailable`, to be tried again later. */
export function translateError(error: unknown, context: CallContext): PenstockError {
  if (error instanceof PenstockError) return error;
  // The key could not be had: the SDK wraps what said why.
  if (error instanceof AnthropicError && error.cause instanceof PenstockError) return error.cause;
  if (error instanceof APIConnectionError) return fromConnection(error, context);
  if (error instanceof APIError) return fromStatus(error, context);
  const detail = error instanceof Error ? error.message : String(error);
  const message = `The answer of model ${context.model} broke off or could not be read: ${detail}`;
  return new PenstockError('unavailable', message, { retry: 'later', mayHaveCounted: true, cause: error });
}

function fromConnection(error: APIConnectionError, { model }: CallContext) {
  const code = error instanceof APIConnectionTimeoutError ? 'timeout' : 'unavailable';
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  const message = `Model ${model} could not be reached: ${reason}. Check the network and the base URL.`;
  return new PenstockError(code, message, { retry: 'later', cause: error });
}

function fromStatus(error: APIError, context: CallContext): PenstockError {
  const code = codeOf(error);
  // An error event in the middle of an answer comes under the status of the answer, or under none.
  const options: ErrorOptions = { cause: error, mayHaveCounted: (error.status ?? 200) < 400 };
  if (code === 'rate_limited' || code === 'unavailable' || code === 'timeout') options.retry = 'later';
  const afterMs = retryAfterMs(error.headers);
  if (afterMs !== undefined) options.afterMs = afterMs;
  return new PenstockError(code, messageOf(code, error, context), options);
}

function codeOf(error: APIError): ErrorCode {
  const own = problem.safeParse(error.error);
  if (own.success) return ownCodes[own.data.code ?? ''] ?? codeOfStatus(error.status);
  // An error event in the middle of a stream has a type, but the status of the stream is 200 or absent.
  if (error.type === 'overloaded_error' || error.type === 'api_error') return 'unavailable';
  if (error.type === 'rate_limit_error') return 'rate_limited';
  if (error.type === 'timeout_error') return 'timeout';
  // Only our own attempts API speaks of budget; at the provider it is the account that has to be settled.
  if (error.status === 402) return 'forbidden';
  if (error.status === 400 && /prompt is too long/i.test(error.message)) return 'too_large';
  return codeOfStatus(error.status);
}

const ownCodes: Partial<Record<string, ErrorCode>> = { budget: 'budget', stale: 'stale' };

function messageOf(code: ErrorCode, error: APIError, { model, credential }: CallContext): string {
  const own = problem.safeParse(error.error);
  const said = own.success ? own.data.detail : (error.apiMessage ?? error.message);
  const status = error.status ?? 'in the stream';
  if (code === 'unauthenticated') return `Model ${model} refused ${credential} (${status}): ${said}`;
  if (code === 'not_found') return `Model ${model} does not exist at this provider (${status}): ${said}`;
  return `Model ${model} answered with an error (${status}): ${said}`;
}
