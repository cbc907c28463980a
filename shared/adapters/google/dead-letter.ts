import type { DeadLetter, Delivery } from '../../ports/queue.ts';

const PREFIX = 'CloudPubSubDeadLetterSource';
const MAX_ERROR_CHARS = 4_000;

/** Whether Pub/Sub forwarded the message because its deliveries failed. */
export function isPubsubDeadLetter({ attributes }: Pick<Delivery, 'attributes'>): boolean {
  return attributes[`${PREFIX}Subscription`] !== undefined;
}

/**
 * Pub/Sub forwards a copy of the message, and says in attributes where it failed and when the message was published; where a push
 * only told a status, what it failed with stays in the logs. One message may be forwarded more than once, and each copy has an id
 * of its own, which counts only where nothing else tells it from others.
 */
export function readPubsubDeadLetter(
  delivery: Pick<Delivery, 'messageId' | 'message' | 'attributes'>,
): DeadLetter {
  const { messageId, message, attributes } = delivery;
  const own = Object.entries(attributes).filter(([name]) => !name.startsWith(PREFIX));
  const publishedAt = attributes[`${PREFIX}TopicPublishTime`];
  const error = attributes[`${PREFIX}DeliveryErrorMessage`]?.slice(0, MAX_ERROR_CHARS);
  return {
    subscription: attributes[`${PREFIX}Subscription`] ?? '',
    ...(publishedAt === undefined ? { messageId } : { publishedAt }),
    message,
    attributes: Object.fromEntries(own),
    deliveryAttempt: Number(attributes[`${PREFIX}DeliveryCount`] ?? 0),
    ...(error === undefined ? {} : { error }),
  };
}
