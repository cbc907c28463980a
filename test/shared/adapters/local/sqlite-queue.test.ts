import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  openSqliteDatabase,
  type SqliteDatabase,
} from '../../../../shared/adapters/local/sqlite-database.ts';
import {
  createSqliteQueue,
  type SqliteQueue,
  type SqliteQueueConfig,
} from '../../../../shared/adapters/local/sqlite-queue.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import type { DeadLetter, Delivery } from '../../../../shared/ports/queue.ts';
import { queueContract } from '../../../contract/queue-contract.ts';
import { realClock } from '../../../support/real-clock.ts';

const log: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore, with: () => log };
function ignore(): void {
  // Failures are expected here.
}

// oxlint-disable-next-line typescript/require-await
queueContract(
  'SQLite',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-queue-'));
    const database = openSqliteDatabase({ file: join(folder, 'penstock.db') });
    const queue = createSqliteQueue({ database, clock: realClock, log, minBackoffMs: 10, maxBackoffMs: 50 });
    queue.start();
    let made = 0;
    return {
      queue,
      // oxlint-disable-next-line typescript/require-await
      async receive({ subscription, ...request }, receive) {
        made += 1;
        const unsubscribe = queue.subscribe({
          ...request,
          subscription: subscription ?? `sub-${made}`,
          receive,
        });
        // oxlint-disable-next-line typescript/require-await
        return async () => unsubscribe();
      },
      readDeadLetter: ({ message }) => message as DeadLetter,
      async close() {
        await queue.close();
        database.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
  { hasWire: false },
);

describe('the SQLite queue', () => {
  let folder: string;
  let database: SqliteDatabase;
  let queues: SqliteQueue[];
  let children: ChildProcess[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'penstock-queue-'));
    database = openSqliteDatabase({ file: join(folder, 'penstock.db') });
    queues = [];
    children = [];
  });
  afterEach(async () => {
    children.forEach((child) => child.kill('SIGKILL'));
    await Promise.all(queues.map((queue) => queue.close()));
    database.close();
    rmSync(folder, { recursive: true });
  });

  function open(config: Partial<SqliteQueueConfig> = {}): SqliteQueue {
    const queue = createSqliteQueue({ database, clock: realClock, log, stopTimeoutMs: 100, ...config });
    queues.push(queue);
    return queue;
  }

  /** Subscribes, and gives what came, in order. */
  function listen(
    queue: SqliteQueue,
    subscription: string,
    fail?: (delivery: Delivery) => boolean,
  ): Delivery[] {
    const came: Delivery[] = [];
    queue.subscribe({
      topic: 'task-dispatched',
      subscription,
      deadLetterTopic: 'dead-letter',
      maxDeliveries: 2,
      // oxlint-disable-next-line typescript/require-await
      receive: async (delivery) => {
        came.push(delivery);
        if (fail?.(delivery)) throw new Error('it failed');
      },
    });
    return came;
  }

  it('keeps what was published until a process starts to deliver', async () => {
    const first = open();
    listen(first, 'executor');
    await first.publish('task-dispatched', { n: 1 });
    await first.stop();
    const second = open();
    const came = listen(second, 'executor');
    second.start();
    await second.idle();
    expect(came.map(({ message, deliveryAttempt }) => [message, deliveryAttempt])).toEqual([[{ n: 1 }, 1]]);
  });

  it('delivers again at once what a killed process had taken on, and not what that had acknowledged', async () => {
    const queue = open();
    listen(queue, 'executor');
    const lines = consume('executor');
    await queue.publish('task-dispatched', { done: true });
    await queue.publish('task-dispatched', { hang: true });
    const child = lines.start();
    await lines.until('took {"done":true} 1');
    await lines.until('took {"hang":true} 1');
    // The acknowledgement follows in the same turn as the delivery of the other one.
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGKILL');
    await once(child, 'exit');

    const next = open();
    const came = listen(next, 'executor');
    const started = Date.now();
    next.start();
    await next.idle();
    expect(came.map(({ message, deliveryAttempt }) => [message, deliveryAttempt])).toEqual([
      [{ hang: true }, 2],
    ]);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it('counts a killed process as a delivery: what kills each of them ends in the dead letters', async () => {
    const queue = open();
    listen(queue, 'executor');
    await queue.publish('task-dispatched', { hang: true });
    for (const attempt of [1, 2]) {
      const lines = consume('executor');
      const child = lines.start();
      await lines.until(`took {"hang":true} ${attempt}`);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const next = open();
    const came = listen(next, 'executor');
    const letters: Delivery[] = [];
    // oxlint-disable-next-line typescript/require-await
    next.subscribe({
      topic: 'dead-letter',
      subscription: 'letters',
      receive: async (letter) => void letters.push(letter),
    });
    next.start();
    await next.idle();
    expect(came).toEqual([]);
    expect(letters.map(({ message }) => message)).toMatchObject([
      { message: { hang: true }, deliveryAttempt: 2 },
    ]);
  });

  it('leaves alone what a living process has taken on', async () => {
    const queue = open();
    listen(queue, 'executor');
    await queue.publish('task-dispatched', { hang: true });
    const lines = consume('executor');
    lines.start();
    await lines.until('took {"hang":true} 1');
    const next = open();
    const came = listen(next, 'executor');
    next.start();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(came).toEqual([]);
  });

  it('waits twice as long from one delivery to the next, up to a limit', async () => {
    const queue = open({ minBackoffMs: 40, maxBackoffMs: 100 });
    const times: number[] = [];
    queue.subscribe({
      topic: 'task-dispatched',
      subscription: 'executor',
      // oxlint-disable-next-line typescript/require-await
      receive: async () => {
        times.push(Date.now());
        if (times.length < 5) throw new Error('not yet');
      },
    });
    queue.start();
    await queue.publish('task-dispatched', {});
    await queue.idle();
    const waits = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    for (const [at, least] of [40, 80, 100, 100].entries()) {
      expect(waits[at]).toBeGreaterThanOrEqual(least - 2);
      expect(waits[at]).toBeLessThan(least + 400);
    }
  });

  it('says in a dead letter what failed, where, and with which error', async () => {
    const queue = open({ minBackoffMs: 1 });
    const came = listen(queue, 'executor', () => true);
    const letters: Delivery[] = [];
    // oxlint-disable-next-line typescript/require-await
    queue.subscribe({
      topic: 'dead-letter',
      subscription: 'letters',
      receive: async (letter) => void letters.push(letter),
    });
    queue.start();
    await queue.publish('task-dispatched', { n: 1 }, { attributes: { tenant: 'acme' } });
    await queue.idle();
    const letter: DeadLetter = {
      topic: 'task-dispatched',
      subscription: 'executor',
      messageId: came[0]?.messageId ?? '',
      message: { n: 1 },
      attributes: { tenant: 'acme' },
      deliveryAttempt: 2,
      error: 'it failed',
    };
    expect(letters.map(({ message }) => message)).toEqual([letter]);
    expect(letters[0]?.attributes).toEqual({ tenant: 'acme' });
  });

  it('delivers again what was not acknowledged in time, and ignores the late answer', async () => {
    const queue = open({ ackDeadlineMs: 50, minBackoffMs: 10 });
    const attempts: number[] = [];
    queue.subscribe({
      topic: 'task-dispatched',
      subscription: 'executor',
      receive: async ({ deliveryAttempt }) => {
        attempts.push(deliveryAttempt);
        if (deliveryAttempt === 1) await new Promise((resolve) => setTimeout(resolve, 200));
      },
    });
    queue.start();
    await queue.publish('task-dispatched', {});
    await queue.idle();
    expect(attempts).toEqual([1, 2]);
  });

  it('never has more deliveries of a subscription under way than it may', async () => {
    const queue = open({ concurrency: 3 });
    let now = 0;
    let most = 0;
    queue.subscribe({
      topic: 'task-dispatched',
      subscription: 'executor',
      receive: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
      },
    });
    queue.start();
    for (let n = 0; n < 20; n += 1) await queue.publish('task-dispatched', { n });
    await queue.idle();
    expect(most).toBe(3);
  });

  it('does nothing while nothing is due', async () => {
    let statements = 0;
    const counted: SqliteDatabase = {
      ...database,
      prepare(sql) {
        statements += 1;
        return database.prepare(sql);
      },
    };
    const queue = open({ database: counted });
    listen(queue, 'executor');
    queue.start();
    await queue.publish('task-dispatched', {});
    await queue.idle();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = statements;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(statements).toBe(before);
  });

  it('waits at stop for what is under way, and takes on nothing more', async () => {
    const queue = open({ stopTimeoutMs: 5000 });
    const done: unknown[] = [];
    let begun: () => void = ignore;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    queue.subscribe({
      topic: 'task-dispatched',
      subscription: 'executor',
      receive: async ({ message }) => {
        begun();
        await new Promise((resolve) => setTimeout(resolve, 50));
        done.push(message);
      },
    });
    queue.start();
    await queue.publish('task-dispatched', { n: 1 });
    await hasBegun;
    await queue.stop();
    await queue.publish('task-dispatched', { n: 2 });
    expect(done).toEqual([{ n: 1 }]);
    queue.start();
    await queue.idle();
    expect(done).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('hands over what this process publishes without reading it again, and as a copy', async () => {
    const statements: string[] = [];
    const spied: SqliteDatabase = {
      ...database,
      prepare(sql) {
        statements.push(sql);
        return database.prepare(sql);
      },
    };
    const queue = open({ database: spied });
    const came = listen(queue, 'executor');
    queue.start();
    await queue.idle();
    statements.length = 0;
    const message = { n: 1, inner: { list: [1] } };
    const published = queue.publish('task-dispatched', message);
    message.inner.list.push(2);
    await published;
    await queue.idle();
    expect(came).toMatchObject([{ message: { n: 1, inner: { list: [1] } }, deliveryAttempt: 1 }]);
    expect(statements.filter((sql) => sql.startsWith('UPDATE'))).toEqual([]);
    expect(statements.filter((sql) => /SELECT .*message/.test(sql))).toEqual([]);
  });

  it('does not let what is published now overtake for ever what waits for room', async () => {
    const queue = open({ concurrency: 1 });
    const order: unknown[] = [];
    let made = 0;
    queue.subscribe({
      topic: 'task-dispatched',
      subscription: 'executor',
      // oxlint-disable-next-line typescript/require-await
      receive: async ({ message }) => {
        order.push((message as { name: unknown }).name);
        // Comes just when this delivery has made room.
        process.nextTick(() => {
          if (made < 100) void queue.publish('task-dispatched', { name: (made += 1) });
        });
      },
    });
    queue.start();
    await queue.idle();
    await Promise.all(['first', 'second', 'third'].map((name) => queue.publish('task-dispatched', { name })));
    await queue.idle();
    expect(order).toHaveLength(103);
    expect(order.indexOf('second')).toBeLessThan(5);
    expect(order.indexOf('third')).toBeLessThan(5);
  });

  it('counts a message as two rows changed: published, acknowledged', async () => {
    const queue = open();
    listen(queue, 'executor');
    queue.start();
    await queue.idle();
    const before = { ...database.tally, total: database.totalChanges() };
    for (let n = 0; n < 10; n += 1) await queue.publish('task-dispatched', { n });
    await queue.idle();
    expect(database.tally.deliveries - before.deliveries).toBe(20);
    expect(database.totalChanges() - before.total).toBe(20);
  });

  it('refuses a subscription name that belongs to another topic', () => {
    const queue = open();
    listen(queue, 'executor');
    expect(() =>
      queue.subscribe({ topic: 'other', subscription: 'executor', receive: () => Promise.resolve() }),
    ).toThrow(/executor.*task-dispatched/);
  });

  /** A process that takes on the messages of a subscription and says so. */
  function consume(subscription: string) {
    const lines: string[] = [];
    let wake: () => void = ignore;
    return {
      start(): ChildProcess {
        const script = join(import.meta.dirname, 'queue-consumer.ts');
        const child = spawn(process.execPath, [script, database.file, subscription], {
          env: { PATH: process.env['PATH'] ?? '' },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        children.push(child);
        createInterface(child.stdout).on('line', (line) => {
          lines.push(line);
          wake();
        });
        return child;
      },
      async until(line: string): Promise<void> {
        while (!lines.includes(line)) await new Promise<void>((resolve) => (wake = resolve));
      },
    };
  }
});
