import type { DeadLetter, Delivery } from '../../ports/queue.ts';

const PREFIX = 'CloudPubSubDeadLetterSource';

/** Whether Pub/Sub forwarded the message because its deliveries failed. */
export function isPubsubDeadLetter({ attributes }: Pick<Delivery, 'attributes'>): boolean {
  return attributes[`${PREFIX}Subscription`] !== undefined;
}

/** Pub/Sub forwards the message itself and says in attributes where it failed; the error stays in the logs. */
export function readPubsubDeadLetter(delivery: Pick<Delivery, 'message' | 'attributes'>): DeadLetter {
  const { message, attributes } = delivery;
  const own = Object.entries(attributes).filter(([name]) => !name.startsWith(PREFIX));
  return {
    subscription: attributes[`${PREFIX}Subscription`] ?? '',
    message,
    attributes: Object.fromEntries(own),
    deliveryAttempt: Number(attributes[`${PREFIX}DeliveryCount`] ?? 0),
  };
}
