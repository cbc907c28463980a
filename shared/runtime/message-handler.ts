import type { CloudEvent } from '@google-cloud/functions-framework';
import { isPubsubDeadLetter, readPubsubDeadLetter } from '../adapters/google/dead-letter.ts';
import type { Ports } from '../core/ports.ts';
import type { Topic } from '../messages/topics.ts';
import type { MessageFunction } from './functions.ts';
import { fromCloudEvent, type IncomingMessage, onMessage } from './on-message.ts';

/** What the functions framework calls for each message of a function. */
export function createMessageHandler<T extends Topic>(
  fn: MessageFunction<T>,
  ports: Ports,
): (event: CloudEvent<unknown>) => Promise<void> {
  return (event) => {
    const incoming = fromCloudEvent(event);
    return onMessage(fn, ports, fn.topic === 'dead-letter' ? asDeadLetter(incoming) : incoming);
  };
}

/** What Pub/Sub forwards is the message itself, which may be no object; the local queue already says what became of it. */
function asDeadLetter(incoming: IncomingMessage): IncomingMessage {
  const { messageId, message: given, attributes } = incoming;
  if (!isPubsubDeadLetter({ attributes })) return incoming;
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const message = isObject ? given : { text: typeof given === 'string' ? given : JSON.stringify(given) };
  const letter = readPubsubDeadLetter({ messageId, message, attributes });
  return { ...incoming, message: letter, attributes: letter.attributes };
}
