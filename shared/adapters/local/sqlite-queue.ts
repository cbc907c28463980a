import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { encodeMessage } from '../../ports/queue-rules.ts';
import type { Queue } from '../../ports/queue.ts';
import { deliverMessage, textOf, type DeliverConfig, type Subscription } from './deliver-message.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { createSqliteDeliveries } from './sqlite-deliveries.ts';

export interface SqliteQueueConfig {
  database: SqliteDatabase;
  clock: Clock;
  log: Log;
  /** Deliveries at a time, of each subscription. @default 16 */
  concurrency?: number;
  /** How long a receiver may take before its message is delivered again; the longest that Pub/Sub has. @default 600000 */
  ackDeadlineMs?: number;
  /** Wait before the second delivery; it doubles from one to the next. @default 1000 */
  minBackoffMs?: number;
  /** @default 60000 */
  maxBackoffMs?: number;
  /** How long `stop` waits for receivers. @default 10000 */
  stopTimeoutMs?: number;
}

/** The queue, and the delivery that Pub/Sub does by itself. Only one process delivers from a database at a time. */
export interface SqliteQueue extends Queue {
  /** The returned function ends the delivery, not the subscription: its messages wait for the next receiver. */
  subscribe(subscription: Subscription): () => void;
  /** Begins to deliver, first of all what an ended process had taken on. */
  start(): void;
  /** Takes on nothing more and waits for what is under way; what takes longer is delivered again by the next process. */
  stop(): Promise<void>;
  /** Resolves when nothing is left to deliver, also nothing that waits for its next try. For tests and `demo`. */
  idle(): Promise<void>;
}

interface Receiver extends Subscription {
  inFlight: number;
}

/** After the database itself failed. */
const PAUSE_MS = 1000;
/** The lease outlasts the deadline, so that the process that has the message answers first. */
const LEASE_MARGIN_MS = 5000;

export function createSqliteQueue(config: SqliteQueueConfig): SqliteQueue {
  const { database, clock, log, concurrency = 16, ackDeadlineMs = 600_000 } = config;
  const { minBackoffMs = 1000, maxBackoffMs = 60_000, stopTimeoutMs = 10_000 } = config;
  const deliveries = createSqliteDeliveries(database);
  const delivering: DeliverConfig = { deliveries, clock, log, ackDeadlineMs, minBackoffMs, maxBackoffMs };
  const receivers = new Map<string, Receiver>();
  const underWay = new Set<Promise<void>>();
  let waiting: (() => void)[] = [];
  let isRunning = false;
  let isWoken = false;
  let timer = new AbortController();

  /** Once per turn of the event loop, however much was published in it. */
  function wake(): void {
    if (!isRunning || isWoken) return;
    isWoken = true;
    setImmediate(() => {
      isWoken = false;
      pump();
    });
  }

  function pump(): void {
    if (!isRunning) return;
    try {
      for (const receiver of receivers.values()) takeOn(receiver);
      wakeAt(nextDueAt());
      settleIdle();
    } catch (error) {
      log.error('the local queue cannot read its database; it goes on in a second', { error: textOf(error) });
      wakeAt(clock.now() + PAUSE_MS);
    }
  }

  function takeOn(receiver: Receiver): void {
    const limit = concurrency - receiver.inFlight;
    if (limit <= 0) return;
    const lease = { now: clock.now(), leaseMs: ackDeadlineMs + LEASE_MARGIN_MS, limit };
    for (const delivery of deliveries.claim(receiver.subscription, lease)) {
      receiver.inFlight += 1;
      const work = deliverMessage(delivering, receiver, delivery).finally(() => {
        receiver.inFlight -= 1;
        underWay.delete(work);
        wake();
      });
      underWay.add(work);
    }
  }

  /** Of the receivers that could take something on. */
  function nextDueAt(): number | undefined {
    const free = [...receivers.values()].filter(({ inFlight }) => inFlight < concurrency);
    const due = free.flatMap(({ subscription }) => deliveries.nextDueAt(subscription) ?? []);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  function wakeAt(dueAt: number | undefined): void {
    timer.abort();
    if (dueAt === undefined) return;
    timer = new AbortController();
    clock.sleep(Math.max(0, dueAt - clock.now()), timer.signal).then(wake, () => undefined);
  }

  function settleIdle(): void {
    if (waiting.length === 0 || underWay.size > 0) return;
    if ([...receivers.keys()].some((subscription) => deliveries.hasAny(subscription))) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  async function stop(): Promise<void> {
    isRunning = false;
    timer.abort();
    const patience = new AbortController();
    const tooLong = clock.sleep(stopTimeoutMs, patience.signal).catch(() => undefined);
    await Promise.race([Promise.all(underWay), tooLong]);
    patience.abort();
  }

  return {
    // oxlint-disable-next-line typescript/require-await
    async publish(topic, message, { attributes = {} } = {}) {
      deliveries.add(
        topic,
        encodeMessage(topic, message, attributes),
        JSON.stringify(attributes),
        clock.now(),
      );
      wake();
    },
    subscribe(subscription) {
      deliveries.subscribe(subscription.topic, subscription.subscription);
      const receiver: Receiver = { ...subscription, inFlight: 0 };
      receivers.set(subscription.subscription, receiver);
      wake();
      return () => {
        if (receivers.get(subscription.subscription) === receiver)
          receivers.delete(subscription.subscription);
      };
    },
    start() {
      deliveries.releaseOfDeadOwners(clock.now());
      isRunning = true;
      wake();
    },
    stop,
    idle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        wake();
      }),
    close: stop,
  };
}
