import { typeError, valueError } from '../errors.ts';
import { isMap, typeName, type Value, type ValueMap } from '../values.ts';
import { awaitCallback, createCallback } from './callbacks.ts';
import type { Fiber } from './fiber.ts';
import { callHttp } from './http-call.ts';
import { secondsOf } from './seconds.ts';
import { RUN_LIMITS } from './run-limits.ts';
import { sleep, sleepUntil } from './sleep.ts';

type Handler = (fiber: Fiber, args: ValueMap) => Promise<Value>;

/** What the library declares and only a runner can do. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  'events.create_callback_endpoint': createCallback,
  'events.await_callback': awaitCallback,
  'http.get': (fiber, args) => callHttp(fiber, 'http.get', args),
  'http.post': (fiber, args) => callHttp(fiber, 'http.post', args),
  'http.put': (fiber, args) => callHttp(fiber, 'http.put', args),
  'http.patch': (fiber, args) => callHttp(fiber, 'http.patch', args),
  'http.delete': (fiber, args) => callHttp(fiber, 'http.delete', args),
  'http.request': (fiber, args) => callHttp(fiber, 'http.request', args),
  'sys.log': log,
  'sys.sleep': sleepFor,
  'sys.sleep_until': sleepTo,
  'sys.now': (fiber) =>
    fiber.execution.suspend(fiber, 'sys.now', () => fiber.execution.services.clock.now() / 1_000),
  'uuid.generate': (fiber) =>
    fiber.execution.suspend(fiber, 'uuid.generate', () => fiber.execution.services.newId()),
};

/** @throws TypeError for a function that nothing here carries out */
export async function callSuspending(name: string, args: ValueMap, fiber: Fiber): Promise<Value> {
  const handler = HANDLERS[name];
  if (handler === undefined) throw typeError(`${name} is not implemented`);
  return await handler(fiber, args);
}

async function sleepFor(fiber: Fiber, args: ValueMap): Promise<Value> {
  return await sleep(
    fiber,
    'sys.sleep',
    secondsOf(args.get('seconds') ?? null, 'sys.sleep', RUN_LIMITS.sleepSeconds),
  );
}

async function sleepTo(fiber: Fiber, args: ValueMap): Promise<Value> {
  const time = args.get('time') ?? null;
  if (typeof time !== 'string')
    throw typeError(`sys.sleep_until takes a time as a string, got ${typeName(time)}`);
  const until = Date.parse(time);
  if (Number.isNaN(until)) throw valueError(`sys.sleep_until takes a time of ISO 8601, got '${time}'`);
  return await sleepUntil(fiber, 'sys.sleep_until', until);
}

const SEVERITIES = [
  'DEFAULT',
  'DEBUG',
  'INFO',
  'NOTICE',
  'WARNING',
  'ERROR',
  'CRITICAL',
  'ALERT',
  'EMERGENCY',
];

async function log(fiber: Fiber, args: ValueMap): Promise<Value> {
  const given = ['data', 'text', 'json'].filter((name) => (args.get(name) ?? null) !== null);
  const [kind] = given;
  if (kind === undefined || given.length > 1)
    throw typeError('sys.log takes exactly one of data, text and json');
  const data = args.get(kind) ?? null;
  if (kind === 'json' && !isMap(data)) throw typeError(`sys.log takes a map as json, got ${typeName(data)}`);
  const severity = args.get('severity') ?? 'DEFAULT';
  if (typeof severity !== 'string' || !SEVERITIES.includes(severity))
    throw valueError(`sys.log takes as severity one of ${SEVERITIES.join(', ')}`);
  const { execution } = fiber;
  return await execution.suspend(fiber, 'sys.log', () => {
    execution.services.log({ workflow: execution.workflow.name, execution: execution.id, severity, data });
    return null;
  });
}
