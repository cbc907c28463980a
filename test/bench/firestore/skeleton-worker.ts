import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type DocumentReference, Firestore } from '@google-cloud/firestore';
import { PubSub } from '@google-cloud/pubsub';
import { portOf } from '../../support/port-of.ts';
import {
  DISPATCHED,
  FINISHED,
  fromData,
  type Line,
  type Operations,
  type Push,
  type Role,
  toData,
  type Told,
} from './skeleton-messages.ts';

/** One of the two processes of a skeleton: `work` claims and ends a task, `follow` hears of it. Both keep the clients' defaults. */
const [role, operations] = process.argv.slice(2) as [Role, Operations];
const isBare = operations === 'bare';
const firestore = new Firestore();
const pubsub = new PubSub();
const [dispatched, finished] = [DISPATCHED, FINISHED].map((topic) =>
  pubsub.topic(topic, { batching: { maxMilliseconds: 0 } }),
);
const tasks = firestore.collectionGroup('tasks').where('tenant', '==', 'local').where('pool', '==', 'core');
const underWay = tasks.where('state', 'in', ['starting', 'running']).limit(64).count();
const waiting = tasks
  .where('state', '==', 'ready')
  .where('held', '==', false)
  .where('notBefore', '==', 0)
  .orderBy('rank')
  .limit(1);

async function work(task: DocumentReference, line: Line): Promise<void> {
  const { updateTime } = await task.get();
  if (updateTime === undefined) throw new Error(`there is no task ${task.path}`);
  if (!isBare) await underWay.get();
  const claimed = await task.update({ state: 'running' }, { lastUpdateTime: updateTime });
  await task.update({ state: 'succeeded', live: false }, { lastUpdateTime: claimed.writeTime });
  const [, next, ...behind] = line;
  await Promise.all([
    finished?.publishMessage({ data: toData(line) }),
    next === undefined ? undefined : dispatched?.publishMessage({ data: toData([next, ...behind]) }),
  ]);
}

async function follow(task: DocumentReference, line: Line): Promise<void> {
  if (!isBare) {
    await task.get();
    const isSink = line.length === 1;
    await Promise.all([
      waiting.get(),
      isSink ? task.parent.where('live', '==', true).limit(1).count().get() : undefined,
    ]);
  }
  tell({ followed: task.path });
}

async function handle(request: IncomingMessage): Promise<void> {
  const { message } = JSON.parse(await text(request)) as Push;
  const line = fromData(message.data);
  const task = firestore.doc(line[0]);
  await (role === 'work' ? work(task, line) : follow(task, line));
}

const server = createServer((request, response) => {
  handle(request).then(
    () => response.writeHead(204).end(),
    (error: unknown) => {
      tell({ failed: String(error) });
      response.writeHead(500).end();
    },
  );
});
server.listen(0, '127.0.0.1', () => {
  tell({ port: portOf(server) });
});
// Nobody looks after it any more.
process.once('disconnect', () => process.exit(0));

function tell(told: Told): void {
  process.send?.(told);
}
