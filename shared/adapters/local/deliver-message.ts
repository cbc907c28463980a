import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import type { DeadLetter, Delivery, Receive } from '../../ports/queue.ts';
import type { AckDeadline } from './ack-deadline.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import type { ClaimedDelivery, SqliteDeliveries } from './sqlite-deliveries.ts';

export interface Subscription {
  topic: string;
  /** Unique in the database; it gets what is published from now on, also while no process runs. */
  subscription: string;
  /** Absent: delivered again without limit. */
  deadLetterTopic?: string;
  /** @default 5 */
  maxDeliveries?: number;
  receive: Receive;
}

export interface DeliverConfig {
  database: SqliteDatabase;
  deliveries: SqliteDeliveries;
  deadline: AckDeadline;
  clock: Clock;
  log: Log;
  minBackoffMs: number;
  maxBackoffMs: number;
}

/** What is to be looked at again: a delivery at a time, or a topic to which a dead letter went. */
export type Outcome = { retryAt: number } | { buriedIn: string } | undefined;

const MAX_DELIVERIES = 5;
const MAX_ERROR_LENGTH = 2000;

/** Hands a message to its receiver; answers what it failed with, if it did. Never rejects. */
export async function handOver(
  { deadline }: Pick<DeliverConfig, 'deadline'>,
  subscription: Subscription,
  delivery: ClaimedDelivery,
): Promise<string | undefined> {
  if (delivery.deliveryAttempt > limitOf(subscription))
    return 'the process ended before it acknowledged the message';
  const { dueAt: _dueAt, ...handedOver } = delivery;
  const failure = await deadline.limit(receive(subscription, handedOver));
  return failure === undefined ? undefined : textOf(failure);
}

/** Rejects also where the receiver throws at once. */
// oxlint-disable-next-line typescript/require-await
async function receive(subscription: Subscription, delivery: Delivery): Promise<void> {
  return subscription.receive(delivery);
}

/** Stores what came of a delivery. Never rejects: what cannot be stored is delivered again after its lease. */
export async function storeOutcome(
  config: DeliverConfig,
  subscription: Subscription,
  { delivery, failure }: { delivery: ClaimedDelivery; failure: string | undefined },
): Promise<Outcome> {
  const { database, deliveries, log } = config;
  try {
    if (failure !== undefined) return await storeFailure(config, subscription, { delivery, failure });
    await database.write(() => deliveries.remove(delivery));
    return undefined;
  } catch (error) {
    const fields = { ...nameOf(delivery), error: textOf(error) };
    log.error('the outcome of a delivery could not be stored; it is delivered again', fields);
    return { retryAt: delivery.dueAt };
  }
}

async function storeFailure(
  { database, deliveries, clock, log, minBackoffMs, maxBackoffMs }: DeliverConfig,
  subscription: Subscription,
  { delivery, failure }: { delivery: ClaimedDelivery; failure: string },
): Promise<Outcome> {
  const { deadLetterTopic } = subscription;
  const limit = limitOf(subscription);
  const fields = { ...nameOf(delivery), error: failure };
  if (deadLetterTopic !== undefined && delivery.deliveryAttempt >= limit) {
    log.warn('a message went to the dead letters', fields);
    const letter = {
      topic: deadLetterTopic,
      messageId: deliveries.nextMessageId(),
      message: JSON.stringify(letterOf(delivery, limit, failure)),
      attributes: JSON.stringify(delivery.attributes),
      publishedAt: clock.now(),
    };
    await database.write(() => deliveries.bury(delivery, letter));
    return { buriedIn: deadLetterTopic };
  }
  log.warn('a delivery failed; it is tried again', fields);
  // Bounded before it is a power of two, which soon is larger than any number.
  const backoffMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(delivery.deliveryAttempt - 1, 30));
  const retryAt = clock.now() + backoffMs;
  await database.write(() => deliveries.retryAt(delivery, retryAt));
  return { retryAt };
}

function limitOf({ deadLetterTopic, maxDeliveries = MAX_DELIVERIES }: Subscription): number {
  return deadLetterTopic === undefined ? Infinity : maxDeliveries;
}

function letterOf(delivery: ClaimedDelivery, limit: number, error: string): DeadLetter {
  const { topic, subscription, messageId, message, attributes } = delivery;
  // One more was counted when the last process ended in the middle of it.
  const deliveryAttempt = Math.min(delivery.deliveryAttempt, limit);
  return { topic, subscription, messageId, message, attributes, deliveryAttempt, error };
}

function nameOf({ topic, subscription, messageId, deliveryAttempt }: ClaimedDelivery): LogFields {
  return { topic, subscription, messageId, deliveryAttempt };
}

/** By shape, not by class: a receiver may reject with anything. */
export function textOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return String(hasMessage ? error.message : error).slice(0, MAX_ERROR_LENGTH);
}
