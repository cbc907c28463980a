import { operationError, Raised, timeoutError } from '../errors.ts';
import { libraryValue } from '../library/constants.ts';
import { isCallable, isMap, type Value, type ValueMap } from '../values.ts';
import { busyWith } from './clock.ts';
import type { Connector, ConnectorContext } from './connector.ts';
import type { Fiber } from './fiber.ts';
import { authorization, CLOUD_PLATFORM } from './http-auth.ts';
import { beginOnce, withQuery } from './http-call.ts';
import { exchange } from './http-exchange.ts';
import { RUN_LIMITS } from './run-limits.ts';
import { backoff } from './run-try.ts';
import { secondsOf } from './seconds.ts';
import { sleep } from './sleep.ts';

const TIMEOUT_SECONDS = 1_800;
const POLLING: Value = new Map<string, Value>([
  ['initial_delay', 1],
  ['multiplier', 1.25],
  ['max_delay', 60],
]);

/** What `connector_params` says, or the service's own. */
interface Settings {
  readonly timeoutSeconds: number;
  readonly polling: Value;
  readonly skipPolling: boolean;
  readonly scopes: Value;
}

/** Calls a method of an API, with its own retries, and follows a long-running operation to its end. */
export async function callConnector(connector: Connector, args: ValueMap, fiber: Fiber): Promise<Value> {
  const { name, follow, isIdempotent = false } = connector;
  const settings = settingsOf(args.get('connector_params') ?? null, name);
  const call: Call = { fiber, name, settings };
  const begunMs = await now(call);
  const answer = await withRetries(call, isIdempotent, (context) => connector.start(args, context));
  if (follow === undefined || settings.skipPolling) return answer;
  let operation = answer;
  for (let polls = 0; ; polls += 1) {
    const progress = follow.progress(operation);
    if (progress.state === 'done') return progress.result;
    if (progress.state === 'failed') throw failure(name, operation, progress.error);
    const left = settings.timeoutSeconds - ((await now(call)) - begunMs) / 1_000;
    if (left <= 0)
      throw timeoutError(`${name}: the operation has not ended after ${settings.timeoutSeconds} seconds`);
    const delay = backoff(new Map([['backoff', settings.polling]]), polls);
    await sleep(fiber, `${name} (poll)`, Math.min(delay, left));
    operation = await withRetries(call, true, (context) => follow.poll(operation, args, context));
  }
}

interface Call {
  fiber: Fiber;
  name: string;
  settings: Settings;
}

/** The time, the same in a replay. */
async function now({ fiber, name }: Call): Promise<number> {
  const { services, suspend } = fiber.execution;
  return Number(await suspend(fiber, `${name} (time)`, () => services.clock.now()));
}

function settingsOf(given: Value, name: string): Settings {
  const params = isMap(given) ? given : new Map<string, Value>();
  const polling = params.get('polling_policy');
  return {
    timeoutSeconds: secondsOf(params.get('timeout') ?? TIMEOUT_SECONDS, name, RUN_LIMITS.sleepSeconds),
    polling: isMap(polling) ? polling : POLLING,
    skipPolling: params.get('skip_polling') === true,
    scopes: params.get('scopes') ?? CLOUD_PLATFORM,
  };
}

function failure(name: string, operation: Value, error: Value): Raised {
  const message = isMap(error) ? error.get('message') : undefined;
  const text = `${name}: the operation failed${typeof message === 'string' ? `: ${message}` : ''}`;
  return operationError(text, { operation, error });
}

/** The retries that a connector has by itself: those of `http.default_retry`, or its non-idempotent sister. */
async function withRetries(
  { fiber, name, settings }: Call,
  isIdempotent: boolean,
  work: (context: ConnectorContext) => Promise<Value>,
): Promise<Value> {
  const policy =
    libraryValue(isIdempotent ? 'http.default_retry' : 'http.default_retry_non_idempotent')?.() ?? null;
  const predicate = isMap(policy) ? (policy.get('predicate') ?? null) : null;
  const most = isMap(policy) ? Number(policy.get('max_retries') ?? 0n) : 0;
  for (let retried = 0; ; retried += 1) {
    try {
      return await request({ fiber, name, settings }, isIdempotent, work);
    } catch (error) {
      if (!(error instanceof Raised) || error.isFatal || retried >= most) throw error;
      if (!isCallable(predicate) || predicate.evaluate?.([error.value]) !== true) throw error;
      await sleep(fiber, `${name} (retry)`, backoff(policy, retried));
    }
  }
}

async function request(
  { fiber, name, settings }: Call,
  isIdempotent: boolean,
  work: (context: ConnectorContext) => Promise<Value>,
): Promise<Value> {
  const { execution } = fiber;
  return await execution.suspend(fiber, name, async (call) => {
    if (!isIdempotent) beginOnce(call, name);
    const context: ConnectorContext = { request: (asked) => send(fiber, asked, { name, settings }) };
    return await busyWith(execution.services.clock, () => work(context));
  });
}

async function send(
  { execution }: Fiber,
  { method, url, query, body = null, scopes }: Parameters<ConnectorContext['request']>[0],
  { name, settings }: Pick<Call, 'name' | 'settings'>,
): Promise<Value> {
  const auth = new Map<string, Value>([
    ['type', 'OAuth2'],
    ['scopes', scopes === undefined ? settings.scopes : [...scopes]],
  ]);
  const headers = new Headers({ authorization: await authorization(auth, url, execution.services) });
  const timeoutSeconds = Math.min(settings.timeoutSeconds, RUN_LIMITS.httpSeconds);
  const answer = await exchange(execution, {
    method,
    url: withQuery(url, query, name),
    headers,
    body,
    timeoutSeconds,
  });
  return isMap(answer) ? (answer.get('body') ?? null) : answer;
}
