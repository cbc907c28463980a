import { type CloudEvent, cloudEvent, http } from '@google-cloud/functions-framework';
import { getRequestListener } from '@hono/node-server';
import type { Topic } from '../messages/topics.ts';
import type { HttpFunction, MessageFunction, Runtime } from './functions.ts';
import { loadRuntime } from './load-runtime.ts';
import { fromCloudEvent, type IncomingMessage, onMessage } from './on-message.ts';
import { isPubsubDeadLetter, readPubsubDeadLetter } from '../adapters/google/dead-letter.ts';

/** Registers an HTTP function; the runtime is built with the first request. */
export function registerHttp(fn: HttpFunction, runtime: () => Promise<Runtime> = loadRuntime): void {
  let listener: Promise<ReturnType<typeof getRequestListener>> | undefined;
  http(fn.name, async (request, response) => {
    listener ??= runtime().then((composed) => getRequestListener(fn.app(composed).fetch));
    await (
      await listener
    )(request, response);
  });
}

/** Registers a function behind a push subscription; the runtime is built with the first message. */
export function registerMessage<T extends Topic>(
  fn: MessageFunction<T>,
  runtime: () => Promise<Runtime> = loadRuntime,
): void {
  let composed: Promise<Runtime> | undefined;
  cloudEvent(fn.name, async (event: CloudEvent<unknown>) => {
    composed ??= runtime();
    const incoming = fromCloudEvent(event);
    await onMessage(
      fn,
      (await composed).ports,
      fn.topic === 'dead-letter' ? asDeadLetter(incoming) : incoming,
    );
  });
}

/** What Pub/Sub forwards is the message itself; the local queue already says what became of it. */
function asDeadLetter(incoming: IncomingMessage): IncomingMessage {
  const { message, attributes } = incoming;
  if (!isPubsubDeadLetter({ attributes }) || typeof message !== 'object' || message === null) return incoming;
  const letter = readPubsubDeadLetter({ message, attributes });
  return { ...incoming, message: letter, attributes: letter.attributes };
}
