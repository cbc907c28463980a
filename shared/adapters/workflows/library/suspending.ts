import type { Parameter, Value } from '../values.ts';

/** A function of the standard library that waits, talks to the outside, or answers differently each time. */
export interface SuspendingFunction {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Whether the service refuses it inside an expression: it blocks. `sys.now` and `uuid.generate` do not. */
  readonly isBlocking: boolean;
}

/** A required parameter by name, an optional one with its default; null: nothing is sent or done without it. */
type Declaration = string | readonly [string, Value];

const AUTHENTICATED: readonly Declaration[] = [
  ['headers', null],
  ['query', null],
  ['auth', null],
  ['private_service_name', null],
  ['ca_certificate', null],
];
const WITH_BODY: readonly Declaration[] = ['url', ['timeout', 300.0], ['body', null], ...AUTHENTICATED];

/** Their arguments, in the order of Google's reference; the interpreter carries them out. */
const FUNCTIONS: readonly SuspendingFunction[] = [
  blocking('events.create_callback_endpoint', [['http_callback_method', 'POST']]),
  blocking('events.await_callback', ['callback', ['timeout', 43_200.0]]),
  blocking('http.get', ['url', ['timeout', 300.0], ...AUTHENTICATED]),
  ...['post', 'put', 'patch', 'delete'].map((method) => blocking(`http.${method}`, WITH_BODY)),
  blocking('http.request', ['method', ...WITH_BODY]),
  blocking('sys.log', [
    ['data', null],
    ['severity', 'DEFAULT'],
    ['text', null],
    ['json', null],
    ['timeout', null],
  ]),
  blocking('sys.sleep', ['seconds']),
  blocking('sys.sleep_until', ['time']),
  { name: 'sys.now', parameters: [], isBlocking: false },
  { name: 'uuid.generate', parameters: [], isBlocking: false },
];

const byName: ReadonlyMap<string, SuspendingFunction> = new Map(
  FUNCTIONS.map((entry) => [entry.name, entry]),
);

/** The declaration of a suspending function; connectors (`googleapis.…`) are in a registry of the interpreter's. */
export function findSuspending(name: string): SuspendingFunction | undefined {
  return byName.get(name);
}

function blocking(name: string, declared: readonly Declaration[]): SuspendingFunction {
  const parameters = declared.map((one): Parameter =>
    typeof one === 'string' ? { name: one } : { name: one[0], default: one[1] },
  );
  return { name, parameters, isBlocking: true };
}
