import type { Domain } from 'node:domain';
import { type CloudEvent, cloudEvent, http } from '@google-cloud/functions-framework';
import type { Topic } from '../messages/topics.ts';
import type { HttpFunction, MessageFunction, Runtime } from './functions.ts';
import { loadOnce } from './load-once.ts';
import { answerUnreadBodies } from './unread-body.ts';

/**
 * This module and what it imports is all that a process has read when it listens: handlers, schemas, clients and even our own HTTP
 * code come with the first request or message. What could not be loaded then is tried again with the next one.
 */

/** Registers an HTTP function by its name. */
export function registerHttp(
  name: string,
  load: () => Promise<HttpFunction>,
  runtime: () => Promise<Runtime> = deployed,
): void {
  const serve = loadOnce(async () => {
    const [{ createHttpListener }, fn, composed] = await Promise.all([
      import('./http-listener.ts'),
      load(),
      runtime(),
    ]);
    return createHttpListener(fn, composed);
  });
  answerUnreadBodies();
  http(name, async (request, response) => {
    leaveDomain();
    const listener = await serve().catch(async (error: unknown) => {
      const { createRefusal } = await import('./http-listener.ts');
      return createRefusal(name, error);
    });
    return listener(request, response);
  });
}

/** Registers a function behind a push subscription by its name. What it throws is a message that comes again. */
export function registerMessage<T extends Topic>(
  name: string,
  load: () => Promise<MessageFunction<T>>,
  runtime: () => Promise<Runtime> = deployed,
): void {
  const handle = loadOnce(async () => {
    const [{ createMessageHandler }, fn, { ports }] = await Promise.all([
      import('./message-handler.ts'),
      load(),
      runtime(),
    ]);
    return createMessageHandler(fn, ports);
  });
  cloudEvent(name, async (event: CloudEvent<unknown>) => {
    leaveDomain();
    return (await handle())(event);
  });
}

/**
 * The framework calls a function in a `node:domain` of the request: what is thrown beside our promises would be its answer, and the
 * process would live on with what that left half done. Outside of it the process ends, as in local mode; and of a function's processor
 * time the domain's hooks take a fifth.
 */
function leaveDomain(): void {
  const { domain } = process as typeof process & { domain?: Domain | null };
  domain?.exit();
}

async function deployed(): Promise<Runtime> {
  const { loadRuntime } = await import('./load-runtime.ts');
  return loadRuntime();
}
