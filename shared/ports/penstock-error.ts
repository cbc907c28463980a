/** What went wrong, for callers that decide what to do next. Vendor errors are translated to these inside their adapter. */
export type ErrorCode =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'stale'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'budget'
  | 'refused'
  | 'no_capacity'
  | 'config'
  | 'internal';

export interface ErrorOptions {
  /** `later`: the same call may succeed on its own. @default 'never' */
  retry?: 'never' | 'later';
  /** Milliseconds to wait before the next try, where the other side said so. */
  afterMs?: number;
  /** Every single reason, where there is more than one. */
  reasons?: string[];
  /** The other side may have done, and may charge for, what was asked, although no whole answer came. @default false */
  mayHaveCounted?: boolean;
  cause?: unknown;
}

/** The one error class. `message` says what happened, to which id, and what to do next. */
export class PenstockError extends Error {
  readonly code: ErrorCode;
  readonly retry: 'never' | 'later';
  readonly afterMs: number | undefined;
  readonly reasons: string[];
  readonly mayHaveCounted: boolean;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PenstockError';
    this.code = code;
    this.retry = options.retry ?? 'never';
    this.afterMs = options.afterMs;
    this.reasons = options.reasons ?? [];
    this.mayHaveCounted = options.mayHaveCounted ?? false;
  }
}

/** Whether the same call may succeed later on its own; an error that nobody classified counts as transient. */
export function isTransient(error: unknown): boolean {
  return !(error instanceof PenstockError) || error.retry === 'later';
}
