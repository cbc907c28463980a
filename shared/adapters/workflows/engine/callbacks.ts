import { timeoutError, typeError, valueError } from '../errors.ts';
import { isMap, typeName, type Value, type ValueMap } from '../values.ts';
import type { CallbackRequest } from './callback-box.ts';
import type { Execution, Fiber } from './fiber.ts';
import type { Endpoint } from './journal.ts';
import { RUN_LIMITS } from './run-limits.ts';
import { secondsOf } from './seconds.ts';
import type { CallContext } from './suspend.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];

/** `events.create_callback_endpoint` */
export async function createCallback(fiber: Fiber, args: ValueMap): Promise<Value> {
  const name = 'events.create_callback_endpoint';
  const method = args.get('http_callback_method') ?? null;
  if (typeof method !== 'string')
    throw typeError(`${name} takes a string as method, got ${typeName(method)}`);
  if (!METHODS.includes(method)) throw valueError(`${name} takes as method one of ${METHODS.join(', ')}`);
  const { execution } = fiber;
  const { services, workflow, callbacks } = execution;
  return await execution.suspend(fiber, name, ({ note }) => {
    const id = services.newId();
    const endpoint: Endpoint = { id, method, url: services.callbackUrl(workflow.name, execution.id, id) };
    note({ endpoint });
    callbacks.open(endpoint);
    return new Map<string, Value>([['url', endpoint.url]]);
  });
}

/** `events.await_callback` */
export async function awaitCallback(fiber: Fiber, args: ValueMap): Promise<Value> {
  const name = 'events.await_callback';
  const seconds = secondsOf(args.get('timeout') ?? null, name, RUN_LIMITS.sleepSeconds);
  const callback = args.get('callback') ?? null;
  const url = isMap(callback) ? callback.get('url') : undefined;
  if (typeof url !== 'string')
    throw typeError(`${name} takes what events.create_callback_endpoint gave, got ${typeName(callback)}`);
  const { execution } = fiber;
  const endpoint = execution.callbacks.byUrl(url);
  if (endpoint === undefined) throw valueError(`${name}: ${url} is no callback endpoint of this execution`);
  return await execution.suspend(fiber, name, (context) =>
    waitFor(endpoint, { execution, context, seconds }),
  );
}

function waitFor(
  { id }: Endpoint,
  { execution, context, seconds }: { execution: Execution; context: CallContext; seconds: number },
): Value | Promise<Value> {
  const { services, callbacks } = execution;
  const { began, begin, note } = context;
  const took = (request: CallbackRequest): Value => {
    note({ took: request.id });
    return request.value;
  };
  const early = callbacks.take(id);
  if (early !== undefined) return took(early);
  const dueMs = began?.dueMs ?? services.clock.now() + seconds * 1_000;
  if (began === undefined) begin({ dueMs });
  return new Promise<Value>((resolve, reject) => {
    const stop = callbacks.wait(id, (request) => {
      cancel();
      forget();
      resolve(took(request));
    });
    const cancel = services.clock.at(dueMs, () => {
      stop();
      forget();
      reject(timeoutError('callback timed out'));
    });
    const forget = execution.onEnd(() => {
      stop();
      cancel();
    });
  });
}
