import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import type { DeadLetter, Receive } from '../../ports/queue.ts';
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
  deliveries: SqliteDeliveries;
  clock: Clock;
  log: Log;
  ackDeadlineMs: number;
  minBackoffMs: number;
  maxBackoffMs: number;
}

const MAX_DELIVERIES = 5;
const MAX_ERROR_LENGTH = 2000;

/** Hands a message to its receiver and stores what came of it. Never rejects: what cannot be stored is delivered again after its lease. */
export async function deliverMessage(
  config: DeliverConfig,
  subscription: Subscription,
  delivery: ClaimedDelivery,
): Promise<void> {
  const failure = await attempt(config, subscription, delivery);
  try {
    if (failure === undefined) config.deliveries.acknowledge(delivery);
    else settleFailure(config, subscription, { delivery, failure });
  } catch (error) {
    const fields = { ...nameOf(delivery), error: textOf(error) };
    config.log.error('the outcome of a delivery could not be stored; it is delivered again', fields);
  }
}

/** What went wrong, if anything did. */
async function attempt(
  { clock, ackDeadlineMs }: DeliverConfig,
  subscription: Subscription,
  delivery: ClaimedDelivery,
): Promise<string | undefined> {
  if (delivery.deliveryAttempt > limitOf(subscription))
    return 'the process ended before it acknowledged the message';
  const deadline = new AbortController();
  const late = clock.sleep(ackDeadlineMs, deadline.signal).then(
    () => `not acknowledged in ${ackDeadlineMs} ms`,
    () => undefined,
  );
  try {
    const { number: _number, ...handedOver } = delivery;
    return await Promise.race([subscription.receive(handedOver).then(() => undefined), late]);
  } catch (error) {
    return textOf(error);
  } finally {
    deadline.abort();
  }
}

function settleFailure(
  { deliveries, clock, log, minBackoffMs, maxBackoffMs }: DeliverConfig,
  subscription: Subscription,
  { delivery, failure }: { delivery: ClaimedDelivery; failure: string },
): void {
  const { deadLetterTopic } = subscription;
  const limit = limitOf(subscription);
  const fields = { ...nameOf(delivery), error: failure };
  if (deadLetterTopic !== undefined && delivery.deliveryAttempt >= limit) {
    log.warn('a message went to the dead letters', fields);
    deliveries.bury(delivery, deadLetterTopic, letterOf(delivery, limit, failure), clock.now());
    return;
  }
  log.warn('a delivery failed; it is tried again', fields);
  // Bounded before it is a power of two, which soon is larger than any number.
  const backoffMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(delivery.deliveryAttempt - 1, 30));
  deliveries.retryAt(delivery, clock.now() + backoffMs);
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
