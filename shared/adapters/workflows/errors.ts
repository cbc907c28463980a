import type { Value, ValueMap } from './values.ts';

/**
 * What a workflow raised: `except` receives exactly `value`, a map with `message` and `tags` for errors of the
 * service, or whatever `raise` was given. A fatal one ends the execution at once and no `except` sees it.
 */
export class Raised extends Error {
  override readonly name = 'Raised';
  readonly value: Value;
  readonly isFatal: boolean;

  constructor(value: Value, isFatal = false) {
    super(describeRaised(value));
    this.value = value;
    this.isFatal = isFatal;
  }
}

/** The first line of what the service says of an uncaught error. */
export function describeRaised(value: Value): string {
  if (typeof value === 'string') return value;
  const message = value instanceof Map ? value.get('message') : undefined;
  return typeof message === 'string' ? message : 'RuntimeError';
}

/** Tags go from the error itself to what it is a kind of, as in Python, from where the service takes the names. */
function errorMap(message: string, tags: string[], extra: [string, Value][] = []): ValueMap {
  return new Map<string, Value>([['message', message], ['tags', tags], ...extra]);
}

/** Errors of the language name themselves in their message: `KeyError: key not found: total`. */
function named(message: string, ...tags: [string, ...string[]]): Raised {
  return new Raised(errorMap(`${tags[0]}: ${message}`, tags));
}

export const typeError = (message: string): Raised => named(message, 'TypeError');

export const valueError = (message: string): Raised => named(message, 'ValueError');

export const keyError = (key: string): Raised => named(`key not found: ${key}`, 'KeyError', 'LookupError');

export const indexError = (message: string): Raised => named(message, 'IndexError', 'LookupError');

export const zeroDivisionError = (): Raised =>
  named('division by zero', 'ZeroDivisionError', 'ArithmeticError');

export const recursionError = (message: string): Raised => named(message, 'RecursionError', 'RuntimeError');

export const parallelNestingError = (message: string): Raised =>
  named(message, 'ParallelNestingError', 'RuntimeError');

export const systemError = (message: string): Raised => named(message, 'SystemError');

export const authError = (message: string): Raised => named(message, 'AuthError');

export const responseTypeError = (message: string): Raised =>
  named(message, 'ResponseTypeError', 'TypeError');

export const timeoutError = (message: string): Raised =>
  new Raised(errorMap(message, ['TimeoutError', 'OSError']));

/** The connection broke after it was made: the request may have been carried out. */
export const connectionError = (message: string): Raised =>
  new Raised(errorMap(message, ['ConnectionError', 'OSError']));

/** The connection was never made: the request was certainly not carried out. */
export const connectionFailedError = (message: string): Raised =>
  new Raised(errorMap(message, ['ConnectionFailedError', 'OSError']));

/** A limit of the service was exceeded; no `except` catches it. */
export const resourceLimitError = (message: string): Raised =>
  new Raised(errorMap(`ResourceLimitError: ${message}`, ['ResourceLimitError']), true);

/** An HTTP response of 400 or more. */
export interface HttpFailure {
  readonly code: number;
  readonly headers: ValueMap;
  readonly body: Value;
  readonly message?: string;
}

export function httpError(failure: HttpFailure): Raised {
  const message = failure.message ?? `HTTP server responded with error code ${failure.code}`;
  const details: [string, Value][] = [
    ['code', BigInt(failure.code)],
    ['headers', failure.headers],
    ['body', failure.body],
  ];
  return new Raised(errorMap(message, ['HttpError'], details));
}

/** A long-running operation ended with `error`, or could not be followed to its end. */
export function operationError(message: string, details: { operation?: Value; error?: Value } = {}): Raised {
  const extra = Object.entries(details).map(([key, value]): [string, Value] => [key, value]);
  return new Raised(errorMap(message, ['OperationError'], extra));
}

/** One branch or iteration of a parallel step that ended in an error. */
export interface FailedBranch {
  readonly id: string;
  readonly context: string;
  /** What the branch raised. */
  readonly payload: Value;
}

const MAX_FAILED_BRANCHES = 100;

/** Some branches of a parallel step failed; the map lists the first 100 of them. */
export function unhandledBranchError(failed: readonly FailedBranch[]): Raised {
  const branches = failed.slice(0, MAX_FAILED_BRANCHES).map(
    ({ id, context, payload }): Value =>
      new Map<string, Value>([
        ['id', id],
        [
          'error',
          new Map<string, Value>([
            ['context', context],
            ['payload', payload],
          ]),
        ],
      ]),
  );
  const message =
    'UnhandledBranchError: One or more branches or iterations encountered an unhandled runtime error';
  const tags = ['UnhandledBranchError', 'RuntimeError'];
  const isTruncated = failed.length > MAX_FAILED_BRANCHES;
  return new Raised(
    errorMap(message, tags, [
      ['branches', branches],
      ['truncated', isTruncated],
    ]),
  );
}
