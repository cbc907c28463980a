// A process that takes on messages, to be killed while it has one: node queue-consumer.ts <database file> <subscription>
import { openSqliteDatabase } from '../../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteQueue } from '../../../../shared/adapters/local/sqlite-queue.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import { realClock } from '../../../support/real-clock.ts';

const [file = '', subscription = ''] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
const log: Log = { debug: say, info: say, warn: say, error: say, with: () => log };
const queue = createSqliteQueue({ database: openSqliteDatabase({ file }), clock: realClock, log });
queue.subscribe({
  topic: 'task-dispatched',
  subscription,
  deadLetterTopic: 'dead-letter',
  maxDeliveries: 2,
  receive: async ({ message, deliveryAttempt }) => {
    say(`took ${JSON.stringify(message)} ${deliveryAttempt}`);
    if ('hang' in message) await new Promise(() => undefined);
  },
});
queue.start();
setInterval(() => undefined, 1000);
