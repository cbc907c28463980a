import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Delivery } from '../../ports/queue.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** A delivery that this process has taken on. */
export interface ClaimedDelivery extends Delivery {
  /** End of the lease: with the id it names the row, until the next lease. */
  dueAt: number;
}

/** A message as it is stored. */
export interface StoredMessage {
  topic: string;
  messageId: string;
  /** JSON text. */
  message: string;
  attributes: string;
  publishedAt: number;
}

interface Taken {
  takers: { subscription: string }[];
  dueAt: number;
}

/** Ordered by what is looked for, so that a message is one entry of one tree from its publication to its acknowledgement. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS queue_subscriptions (subscription TEXT PRIMARY KEY, topic TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS queue_subscriptions_by_topic ON queue_subscriptions (topic);
CREATE TABLE IF NOT EXISTS queue_deliveries (
  subscription TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  topic TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  owner TEXT,
  published_at INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (subscription, due_at, message_id)
) WITHOUT ROWID;
`;

/** This process and no earlier one with the same number. */
const OWNER = `${process.pid}@${Math.round(performance.timeOrigin)}`;

/**
 * What is still to be delivered: one row for each message and subscription. A row is taken by moving its `due_at` to the
 * end of the lease, and every answer names the lease and the attempt that it is for, so that a late one changes nothing.
 * What changes something is called from within a transaction, but for `subscribe`.
 */
export function createSqliteDeliveries(database: SqliteDatabase) {
  database.exec(SCHEMA);
  const ofThisQueue = randomUUID();
  let made = 0;

  function change(sql: string, values: (string | number | null)[]): number {
    const changes = Number(database.prepare(sql).run(...values).changes);
    database.tally.deliveries += changes;
    return changes;
  }

  /** `taken`: by whom of this process it is already taken on, and until when. */
  function add(stored: StoredMessage, taken: Taken = { takers: [], dueAt: 0 }): void {
    const { topic, messageId, message, attributes, publishedAt } = stored;
    const subscriptions = database
      .prepare('SELECT subscription FROM queue_subscriptions WHERE topic = ?')
      .all(topic) as unknown as [string][];
    for (const [subscription] of subscriptions) {
      const isTaken = taken.takers.some((taker) => taker.subscription === subscription);
      const lease = isTaken ? [taken.dueAt, 1, OWNER] : [publishedAt, 0, null];
      change(
        `INSERT INTO queue_deliveries (subscription, topic, message_id, published_at, message, attributes, due_at, attempt, owner)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [subscription, topic, messageId, publishedAt, message, attributes, ...lease],
      );
    }
  }

  function remove({ subscription, dueAt, messageId, deliveryAttempt }: ClaimedDelivery): boolean {
    return (
      change(
        'DELETE FROM queue_deliveries WHERE subscription = ? AND due_at = ? AND message_id = ? AND attempt = ?',
        [subscription, dueAt, messageId, deliveryAttempt],
      ) > 0
    );
  }

  return {
    add,
    remove,

    /** Never the same twice, also over several processes. */
    nextMessageId(): string {
      made += 1;
      return `${ofThisQueue}-${made}`;
    },

    subscribe(topic: string, subscription: string): void {
      const of = database.transaction(() => {
        const added = database
          .prepare('INSERT OR IGNORE INTO queue_subscriptions VALUES (?, ?)')
          .run(subscription, topic);
        database.tally.names += Number(added.changes);
        const row = database
          .prepare('SELECT topic FROM queue_subscriptions WHERE subscription = ?')
          .get(subscription);
        return (row as unknown as [string])[0];
      });
      if (of === topic) return;
      throw new PenstockError(
        'config',
        `subscription ${subscription} is one of topic ${of}, not of ${topic}; give it another name`,
      );
    },

    /** Takes on what is due, the longest due first. */
    claim(subscription: string, request: { now: number; leaseMs: number; limit: number }): ClaimedDelivery[] {
      const { now, leaseMs, limit } = request;
      const due = database
        .prepare(
          `SELECT due_at, message_id, topic, attempt, published_at, attributes, message FROM queue_deliveries
           WHERE subscription = ? AND due_at <= ? ORDER BY due_at, message_id LIMIT ${limit}`,
        )
        .all(subscription, now) as unknown as DueRow[];
      const dueAt = now + leaseMs;
      return due.map(([was, messageId, topic, attempt, publishedAt, attributes, message]) => {
        change(
          'UPDATE queue_deliveries SET due_at = ?, attempt = ?, owner = ? WHERE subscription = ? AND due_at = ? AND message_id = ?',
          [dueAt, attempt + 1, OWNER, subscription, was, messageId],
        );
        return {
          topic,
          subscription,
          messageId,
          publishedAt,
          dueAt,
          message: JSON.parse(message) as object,
          attributes: JSON.parse(attributes) as Record<string, string>,
          deliveryAttempt: attempt + 1,
        };
      });
    },

    retryAt({ subscription, dueAt, messageId, deliveryAttempt }: ClaimedDelivery, retryAt: number): void {
      change(
        'UPDATE queue_deliveries SET due_at = ?, owner = NULL WHERE subscription = ? AND due_at = ? AND message_id = ? AND attempt = ?',
        [retryAt, subscription, dueAt, messageId, deliveryAttempt],
      );
    },

    /** Out of its subscription and onto the dead-letter topic, in one step; whether it was still there. */
    bury(delivery: ClaimedDelivery, letter: StoredMessage): boolean {
      const isOurs = remove(delivery);
      if (isOurs) add(letter);
      return isOurs;
    },

    nextDueAt(subscription: string): number | undefined {
      const row = database
        .prepare('SELECT due_at FROM queue_deliveries WHERE subscription = ? ORDER BY due_at LIMIT 1')
        .get(subscription) as unknown as [number] | undefined;
      return row?.[0];
    },

    /** What processes that are gone had taken on is due at once, not at the end of its lease. */
    releaseOfDeadOwners(now: number): void {
      const owners = database
        .prepare('SELECT DISTINCT owner FROM queue_deliveries WHERE owner IS NOT NULL')
        .all() as unknown as [string][];
      for (const [owner] of owners) {
        if (isAlive(owner)) continue;
        change('UPDATE queue_deliveries SET due_at = ?, owner = NULL WHERE owner = ?', [now, owner]);
      }
    },
  };
}

export type SqliteDeliveries = ReturnType<typeof createSqliteDeliveries>;

type DueRow = [number, string, string, number, number, string, string];

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
