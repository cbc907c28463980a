import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSqliteDeliveries } from '../../../../shared/adapters/local/sqlite-deliveries.ts';
import {
  openSqliteDatabase,
  type SqliteDatabase,
} from '../../../../shared/adapters/local/sqlite-database.ts';

describe('stored deliveries', () => {
  let database: SqliteDatabase;
  beforeEach(() => {
    database = openSqliteDatabase({ file: ':memory:' });
  });
  afterEach(() => {
    database.close();
  });

  const stored = { topic: 'topic', messageId: 'm-1', message: '{"n":1}', attributes: '{}', publishedAt: 0 };

  /** One message, taken on at 0 and, because that lease ended at 10, once more at 10. */
  function takenTwice() {
    const deliveries = createSqliteDeliveries(database);
    deliveries.subscribe('topic', 'executor');
    deliveries.add(stored);
    const [first] = deliveries.claim('executor', { now: 0, leaseMs: 10, limit: 5 });
    const [second] = deliveries.claim('executor', { now: 10, leaseMs: 10, limit: 5 });
    if (first === undefined || second === undefined) throw new Error('nothing was taken on');
    return { deliveries, first, second };
  }

  it('are taken on by one at a time, until the lease ends', () => {
    const { deliveries, first, second } = takenTwice();
    expect([first.deliveryAttempt, second.deliveryAttempt]).toEqual([1, 2]);
    expect(deliveries.claim('executor', { now: 19, leaseMs: 10, limit: 5 })).toEqual([]);
  });

  it('are not removed, put off or buried by whoever held an earlier lease', () => {
    const { deliveries, first, second } = takenTwice();
    expect(deliveries.remove(first)).toBe(false);
    deliveries.retryAt(first, 11);
    deliveries.subscribe('dead-letter', 'letters');
    deliveries.bury(first, { ...stored, topic: 'dead-letter' });
    expect(deliveries.nextDueAt('executor')).toBe(20);
    expect(deliveries.nextDueAt('letters')).toBeUndefined();
    expect(deliveries.remove(second)).toBe(true);
    expect(deliveries.nextDueAt('executor')).toBeUndefined();
  });

  it('are let go where their process is gone, also one that had our number', () => {
    const { deliveries } = takenTwice();
    deliveries.releaseOfDeadOwners(12);
    expect(deliveries.nextDueAt('executor')).toBe(20);
    database.exec(`UPDATE queue_deliveries SET owner = '${process.pid}@1'`);
    deliveries.releaseOfDeadOwners(12);
    expect(deliveries.nextDueAt('executor')).toBe(12);
  });
});
