import type { ErrorCode } from './penstock-error.ts';

/** An answer of the provider as it came: nothing of it is changed on the way to the attempt. */
export interface GatewayAnswer {
  status: number;
  /** What an error status means, and when to come again where the provider said so; absent on an answer. */
  fault?: { code: ErrorCode; retryAfterMs?: number };
  /** Content type, and what tells the client when to come again. */
  headers: Record<string, string>;
  body: ReadableStream<Uint8Array>;
}

/** The provider's Messages API with the platform's own credential: what a job's SDK says goes through here. */
export interface MessagesGateway {
  /** Input tokens that the body would use. */
  countTokens(body: Record<string, unknown>): Promise<number>;
  /** `headers` of the caller; only those that select a version or a feature are sent on. */
  send(body: Record<string, unknown>, headers: Headers, signal: AbortSignal): Promise<GatewayAnswer>;
}
