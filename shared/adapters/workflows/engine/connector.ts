import type { KnownFunction } from '../syntax/check-calls.ts';
import type { Value, ValueMap } from '../values.ts';

/** A request to an API of Google. */
export interface ConnectorRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly query?: ValueMap;
  readonly body?: Value;
  /** @default cloud-platform */
  readonly scopes?: readonly string[];
}

export interface ConnectorContext {
  /**
   * One request with an access token; its answer is the body.
   * @throws Raised HttpError and what else a request raises
   */
  request: (request: ConnectorRequest) => Promise<Value>;
}

/** How far a long-running operation has come. */
export type Progress =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly result: Value }
  | { readonly state: 'failed'; readonly error: Value };

/**
 * One method of an API, called as `googleapis.…`. An answer that names an operation is followed to its end by
 * `follow`; without it the answer is the result.
 */
export interface Connector extends KnownFunction {
  /** Whether a second call does what one does, so that it is made again when nobody knows how the first one ended. @default false */
  readonly isIdempotent?: boolean;
  start(args: ValueMap, context: ConnectorContext): Promise<Value>;
  readonly follow?: {
    /** @throws Raised ResponseTypeError for what is no operation */
    progress(operation: Value): Progress;
    /** The operation as it is now. */
    poll(operation: Value, args: ValueMap, context: ConnectorContext): Promise<Value>;
  };
}
