import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { DeadLetter, Delivery } from '../../ports/queue.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** A delivery that this process has taken on. */
export interface ClaimedDelivery extends Delivery {
  number: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS queue_subscriptions (subscription TEXT PRIMARY KEY, topic TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS queue_subscriptions_by_topic ON queue_subscriptions (topic);
CREATE TABLE IF NOT EXISTS queue_deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  subscription TEXT NOT NULL,
  topic TEXT NOT NULL,
  message_id TEXT NOT NULL,
  message TEXT NOT NULL,
  attributes TEXT NOT NULL,
  published_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  owner TEXT
);
CREATE INDEX IF NOT EXISTS queue_deliveries_by_due ON queue_deliveries (subscription, due_at);
CREATE INDEX IF NOT EXISTS queue_deliveries_by_owner ON queue_deliveries (owner) WHERE owner IS NOT NULL;
`;

/** This process and no earlier one with the same number. */
const OWNER = `${process.pid}@${Math.round(performance.timeOrigin)}`;

/**
 * What is still to be delivered: one row for each message and subscription. A row is taken by moving its `due_at` to the
 * end of the lease, and every answer names the attempt that it is for, so that a late one changes nothing.
 */
export function createSqliteDeliveries(database: SqliteDatabase) {
  database.exec(SCHEMA);

  function add(topic: string, message: string, attributes: string, now: number): void {
    database
      .prepare(
        `INSERT INTO queue_deliveries (subscription, topic, message_id, message, attributes, published_at, due_at)
         SELECT subscription, topic, ?, ?, ?, ?, ? FROM queue_subscriptions WHERE topic = ?`,
      )
      .run(randomUUID(), message, attributes, now, now, topic);
  }

  function remove({ number, deliveryAttempt }: ClaimedDelivery): boolean {
    const removed = database
      .prepare('DELETE FROM queue_deliveries WHERE number = ? AND attempt = ?')
      .run(number, deliveryAttempt);
    return Number(removed.changes) > 0;
  }

  return {
    add: (topic: string, message: string, attributes: string, now: number) =>
      database.transaction(() => add(topic, message, attributes, now)),

    subscribe(topic: string, subscription: string): void {
      database.prepare('INSERT OR IGNORE INTO queue_subscriptions VALUES (?, ?)').run(subscription, topic);
      const row = database
        .prepare('SELECT topic FROM queue_subscriptions WHERE subscription = ?')
        .get(subscription);
      if (row?.['topic'] === topic) return;
      throw new PenstockError(
        'config',
        `subscription ${subscription} is one of topic ${String(row?.['topic'])}, not of ${topic}; give it another name`,
      );
    },

    /** Takes on what is due. */
    claim(subscription: string, request: { now: number; leaseMs: number; limit: number }): ClaimedDelivery[] {
      const { now, leaseMs, limit } = request;
      return database.transaction(() =>
        database
          .prepare(
            `UPDATE queue_deliveries SET attempt = attempt + 1, due_at = ?, owner = ? WHERE number IN
             (SELECT number FROM queue_deliveries WHERE subscription = ? AND due_at <= ? ORDER BY due_at, number LIMIT ?) RETURNING *`,
          )
          .all(now + leaseMs, OWNER, subscription, now, limit)
          .map(toDelivery),
      );
    },

    acknowledge: (delivery: ClaimedDelivery) => database.transaction(() => remove(delivery)),

    retryAt({ number, deliveryAttempt }: ClaimedDelivery, dueAt: number): void {
      database
        .prepare('UPDATE queue_deliveries SET due_at = ?, owner = NULL WHERE number = ? AND attempt = ?')
        .run(dueAt, number, deliveryAttempt);
    },

    /** Out of its subscription and onto the dead-letter topic, in one step. */
    bury(delivery: ClaimedDelivery, topic: string, letter: DeadLetter, now: number): void {
      database.transaction(() => {
        if (remove(delivery)) add(topic, JSON.stringify(letter), JSON.stringify(delivery.attributes), now);
      });
    },

    nextDueAt(subscription: string): number | undefined {
      const row = database
        .prepare('SELECT min(due_at) AS due_at FROM queue_deliveries WHERE subscription = ?')
        .get(subscription);
      return typeof row?.['due_at'] === 'number' ? row['due_at'] : undefined;
    },

    hasAny(subscription: string): boolean {
      const row = database
        .prepare('SELECT 1 FROM queue_deliveries WHERE subscription = ? LIMIT 1')
        .get(subscription);
      return row !== undefined;
    },

    /** What processes that are gone had taken on is due at once, not at the end of its lease. */
    releaseOfDeadOwners(now: number): void {
      const owners = database
        .prepare('SELECT DISTINCT owner FROM queue_deliveries WHERE owner IS NOT NULL')
        .all();
      for (const row of owners) {
        const owner = String(row['owner']);
        if (isAlive(owner)) continue;
        database
          .prepare('UPDATE queue_deliveries SET due_at = ?, owner = NULL WHERE owner = ?')
          .run(now, owner);
      }
    },
  };
}

export type SqliteDeliveries = ReturnType<typeof createSqliteDeliveries>;

function isAlive(owner: string): boolean {
  const pid = Number(owner.split('@')[0]);
  if (pid === process.pid) return owner === OWNER;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function toDelivery(row: Record<string, unknown>): ClaimedDelivery {
  return {
    number: Number(row['number']),
    topic: String(row['topic']),
    subscription: String(row['subscription']),
    messageId: String(row['message_id']),
    message: JSON.parse(String(row['message'])) as object,
    attributes: JSON.parse(String(row['attributes'])) as Record<string, string>,
    publishedAt: Number(row['published_at']),
    deliveryAttempt: Number(row['attempt']),
  };
}
