import { isMap, type Callable, type Value, type ValueMap } from '../values.ts';
import { define, type LibraryFunction } from './define.ts';

const MAX_RETRIES = 5n;

/** What `http.default_retry_predicate` retries: nothing is lost when the request is sent again. */
const IDEMPOTENT = {
  codes: [429, 502, 503, 504],
  tags: ['ConnectionError', 'ConnectionFailedError', 'TimeoutError'],
};
/** What is safe to retry even so: the request was certainly not carried out. */
const NON_IDEMPOTENT = { codes: [429, 503], tags: ['ConnectionFailedError'] };

const predicates = {
  always: predicate('retry.always', () => true),
  never: predicate('retry.never', () => false),
  idempotent: predicate('http.default_retry_predicate', (error) => matches(error, IDEMPOTENT)),
  nonIdempotent: predicate('http.default_retry_predicate_non_idempotent', (error) =>
    matches(error, NON_IDEMPOTENT),
  ),
};

/** https://cloud.google.com/workflows/docs/reference/stdlib/retry/always and http/default_retry_predicate. */
export const RETRY_FUNCTIONS: readonly LibraryFunction[] = Object.values(predicates);

/**
 * What the library holds as values, made anew each time since a workflow may change what it was given
 * (https://cloud.google.com/workflows/docs/reference/stdlib/http/default_retry, retry/default_backoff).
 */
export const RETRY_VALUES: ReadonlyMap<string, () => Value> = new Map<string, () => Value>([
  ['retry.default_backoff', defaultBackoff],
  ['http.default_retry', () => policy(predicates.idempotent)],
  ['http.default_retry_non_idempotent', () => policy(predicates.nonIdempotent)],
  ...RETRY_FUNCTIONS.map((entry): [string, () => Value] => [entry.name, () => callable(entry)]),
]);

function predicate(name: string, decide: (error: Value) => boolean): LibraryFunction {
  return define(name, [['exception', 'any']], ([error]) => decide(error));
}

function matches(error: Value, { codes, tags }: typeof IDEMPOTENT): boolean {
  if (!isMap(error)) return false;
  const given = error.get('tags');
  const names = Array.isArray(given) ? given : [];
  if (tags.some((tag) => names.includes(tag))) return true;
  const code = error.get('code');
  return codes.some((one) => code === BigInt(one) || code === one);
}

function policy(decides: LibraryFunction): ValueMap {
  return new Map<string, Value>([
    ['predicate', callable(decides)],
    ['max_retries', MAX_RETRIES],
    ['backoff', defaultBackoff()],
  ]);
}

function defaultBackoff(): ValueMap {
  return new Map<string, Value>([
    ['initial_delay', 1n],
    ['max_delay', 60n],
    ['multiplier', 1.25],
  ]);
}

function callable(decides: LibraryFunction): Callable {
  const { name, parameters } = decides;
  return {
    kind: 'function',
    name,
    parameters,
    evaluate: (args) => decides.evaluate(args, { env: () => undefined }),
  };
}
