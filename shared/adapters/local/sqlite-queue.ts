import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { encodeMessage } from '../../ports/queue-rules.ts';
import type { Attributes, Queue } from '../../ports/queue.ts';
import { createAckDeadline } from './ack-deadline.ts';
import { handOver, storeOutcome, textOf, type DeliverConfig, type Subscription } from './deliver-message.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { createSqliteDeliveries, type ClaimedDelivery, type StoredMessage } from './sqlite-deliveries.ts';

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
  /** Under way. */
  inFlight: number;
  /** Taken on, and waiting for room; older than what waits in the database. */
  waiting: ClaimedDelivery[];
  /** Something due may wait in the database: it comes first, so what is published now waits behind it. */
  hasBacklog: boolean;
  isClaiming: boolean;
}

/** After the database itself failed. */
const PAUSE_MS = 1000;
/** Messages that one receiver keeps in memory while it has no room; what comes on top waits in the database. */
const MAX_WAITING = 1_000;
/** The lease outlasts the deadline, so that the process that has the message answers first. */
const LEASE_MARGIN_MS = 5000;

export function createSqliteQueue(config: SqliteQueueConfig): SqliteQueue {
  const { database, clock, log, concurrency = 16, ackDeadlineMs = 600_000 } = config;
  const { minBackoffMs = 1000, maxBackoffMs = 60_000, stopTimeoutMs = 10_000 } = config;
  const deliveries = createSqliteDeliveries(database);
  const deadline = createAckDeadline(clock, ackDeadlineMs);
  const delivering: DeliverConfig = {
    database,
    deliveries,
    deadline,
    clock,
    log,
    minBackoffMs,
    maxBackoffMs,
  };
  const leaseMs = ackDeadlineMs + LEASE_MARGIN_MS;
  /** A delivery is not part of what its publisher is in the middle of, nor of whatever set the timer. */
  const detached = AsyncLocalStorage.snapshot();
  const receivers = new Map<string, Receiver>();
  /** Publications and deliveries that are not yet stored with their outcome. */
  let open = 0;
  let whenClosed: (() => void)[] = [];
  let whenIdle: (() => void)[] = [];
  let isRunning = false;
  let isWoken = false;
  let alarm: { at: number; timer: AbortController } | undefined;
  let generation = database.generation();

  /** Once per turn of the event loop, however much happened in it. */
  function wake(): void {
    if (!isRunning || isWoken) return;
    isWoken = true;
    setImmediate(() => {
      isWoken = false;
      if (!isRunning) return;
      for (const receiver of receivers.values()) void takeOn(receiver);
      settleIdle();
    });
  }

  /** Hands over what is due, as much as there is room for: what waits in the database is taken on by age. */
  async function takeOn(receiver: Receiver): Promise<void> {
    if (!receiver.hasBacklog || receiver.isClaiming || receiver.waiting.length > 0) return;
    if (receiver.inFlight >= concurrency) return;
    receiver.isClaiming = true;
    open += 1;
    try {
      const { due, isAll, nextDueAt } = await database.write(() => claim(receiver));
      receiver.hasBacklog = !isAll;
      for (const delivery of due) {
        open += 1;
        handOn(receiver, delivery);
      }
      if (nextDueAt !== undefined) wakeAt(nextDueAt);
    } catch (error) {
      log.error('the local queue cannot read its database; it goes on in a second', { error: textOf(error) });
      receiver.hasBacklog = false;
      wakeAt(clock.now() + PAUSE_MS);
    }
    receiver.isClaiming = false;
    end();
  }

  /** While there is a backlog nothing else takes up room, so there still is room when this is committed. */
  function claim({ subscription, inFlight }: Receiver) {
    const limit = concurrency - inFlight;
    const due = deliveries.claim(subscription, { now: clock.now(), leaseMs, limit });
    const isAll = due.length < limit;
    return { due, isAll, nextDueAt: isAll ? deliveries.nextDueAt(subscription) : undefined };
  }

  function handOn(receiver: Receiver, delivery: ClaimedDelivery): void {
    if (receiver.inFlight >= concurrency) {
      receiver.waiting.push(delivery);
      return;
    }
    receiver.inFlight += 1;
    void detached(deliver, receiver, delivery);
  }

  function handNext(receiver: Receiver): void {
    const next = receiver.waiting.shift();
    if (next === undefined) return receiver.hasBacklog ? wake() : undefined;
    // It waited until its lease was over: it is due again in the database.
    if (next.dueAt - LEASE_MARGIN_MS > clock.now()) return handOn(receiver, next);
    end();
    wakeAt(next.dueAt);
    handNext(receiver);
  }

  async function deliver(receiver: Receiver, delivery: ClaimedDelivery): Promise<void> {
    const failure = await handOver(delivering, receiver, delivery);
    receiver.inFlight -= 1;
    handNext(receiver);
    const outcome = await storeOutcome(delivering, receiver, { delivery, failure });
    if (outcome !== undefined && 'retryAt' in outcome) wakeAt(outcome.retryAt);
    if (outcome !== undefined && 'buriedIn' in outcome) lookFor(outcome.buriedIn, []);
    end();
  }

  /**
   * Handed to every receiver that has nothing older to do in the turn in which it is published, and stored with what else that
   * turn writes: a message only tells where to look. Whoever published it waits until it is stored, so that a crash before
   * that repeats the publication. The other receivers find it in the database.
   */
  async function publish(topic: string, message: object, attributes: Attributes): Promise<void> {
    const stored: StoredMessage = {
      topic,
      messageId: deliveries.nextMessageId(),
      message: encodeMessage(topic, message, attributes),
      attributes: JSON.stringify(attributes),
      publishedAt: clock.now(),
    };
    const takers = reserve(topic);
    const dueAt = stored.publishedAt + leaseMs;
    open += 1 + takers.length;
    const written = database.write(() => deliveries.add(stored, { dueAt, takers }));
    for (const receiver of takers) queueMicrotask(() => handOn(receiver, takenOn(receiver, stored, dueAt)));
    try {
      await written;
      lookFor(topic, takers);
    } finally {
      end();
    }
  }

  function reserve(topic: string): Receiver[] {
    if (!isRunning) return [];
    const takers: Receiver[] = [];
    for (const receiver of receivers.values()) {
      if (receiver.topic !== topic || receiver.hasBacklog || receiver.waiting.length >= MAX_WAITING) continue;
      takers.push(receiver);
    }
    return takers;
  }

  /** What was published on this topic may wait in the database for these. */
  function lookFor(topic: string, taken: Receiver[]): void {
    // Another process wrote: nobody knows for whom.
    if (generation !== database.generation()) return lookForAll();
    for (const receiver of receivers.values()) {
      if (receiver.topic !== topic || taken.includes(receiver)) continue;
      receiver.hasBacklog = true;
      wake();
    }
  }

  function lookForAll(): void {
    generation = database.generation();
    for (const receiver of receivers.values()) receiver.hasBacklog = true;
    wake();
  }

  function end(): void {
    open -= 1;
    if (open > 0) return;
    for (const resolve of whenClosed) resolve();
    whenClosed = [];
    if (whenIdle.length > 0) wake();
  }

  function wakeAt(at: number): void {
    if (alarm !== undefined && alarm.at <= at) return;
    alarm?.timer.abort();
    const timer = new AbortController();
    alarm = { at, timer };
    const ring = () => {
      alarm = undefined;
      lookForAll();
    };
    clock.sleep(Math.max(0, at - clock.now()), timer.signal).then(ring, () => undefined);
  }

  function settleIdle(): void {
    if (whenIdle.length === 0 || open > 0) return;
    const isLeft = (subscription: string) => deliveries.nextDueAt(subscription) !== undefined;
    if ([...receivers.keys()].some(isLeft)) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  async function stop(): Promise<void> {
    isRunning = false;
    alarm?.timer.abort();
    alarm = undefined;
    for (const receiver of receivers.values()) giveBack(receiver);
    database.flush();
    if (open > 0) {
      const patience = new AbortController();
      const tooLong = clock.sleep(stopTimeoutMs, patience.signal).catch(() => undefined);
      await Promise.race([new Promise<void>((resolve) => whenClosed.push(resolve)), tooLong]);
      patience.abort();
    }
    deadline.stop();
  }

  /** What was taken on and not begun is due again. */
  function giveBack(receiver: Receiver): void {
    for (const delivery of receiver.waiting.splice(0)) {
      database.write(() => deliveries.retryAt(delivery, clock.now())).then(end, end);
    }
  }

  return {
    publish: (topic, message, { attributes = {} } = {}) => publish(topic, message, attributes),
    subscribe(subscription) {
      deliveries.subscribe(subscription.topic, subscription.subscription);
      const receiver: Receiver = {
        ...subscription,
        inFlight: 0,
        waiting: [],
        hasBacklog: true,
        isClaiming: false,
      };
      receivers.set(subscription.subscription, receiver);
      wake();
      return () => {
        giveBack(receiver);
        if (receivers.get(subscription.subscription) === receiver)
          receivers.delete(subscription.subscription);
      };
    },
    start() {
      database.transaction(() => deliveries.releaseOfDeadOwners(clock.now()));
      isRunning = true;
      lookForAll();
    },
    stop,
    idle: () =>
      new Promise((resolve) => {
        whenIdle.push(resolve);
        wake();
      }),
    close: stop,
  };
}

/** A copy for each receiver, as if it had been read. */
function takenOn({ subscription }: Receiver, stored: StoredMessage, dueAt: number): ClaimedDelivery {
  const { topic, messageId, publishedAt } = stored;
  return {
    topic,
    subscription,
    messageId,
    publishedAt,
    dueAt,
    message: JSON.parse(stored.message) as object,
    attributes: JSON.parse(stored.attributes) as Attributes,
    deliveryAttempt: 1,
  };
}
