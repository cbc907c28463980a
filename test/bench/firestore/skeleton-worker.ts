import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { Firestore } from '@google-cloud/firestore';
import { PubSub } from '@google-cloud/pubsub';
import { portOf } from '../../support/port-of.ts';
import { FINISHED, type Push, type Role, type Told } from './skeleton-messages.ts';

/** One of the two processes of a skeleton: `work` claims and ends a task, `follow` hears of it. Both keep the clients' defaults. */
const role = process.argv[2] as Role;
const firestore = new Firestore();
const finished = new PubSub().topic(FINISHED, { batching: { maxMilliseconds: 0 } });

async function handle(request: IncomingMessage): Promise<void> {
  const { message } = JSON.parse(await text(request)) as Push;
  const path = Buffer.from(message.data, 'base64').toString();
  if (role === 'follow') return tell({ followed: path });
  const ref = firestore.doc(path);
  const { updateTime } = await ref.get();
  if (updateTime === undefined) throw new Error(`there is no task ${path}`);
  const claimed = await ref.update({ state: 'running' }, { lastUpdateTime: updateTime });
  await ref.update({ state: 'succeeded' }, { lastUpdateTime: claimed.writeTime });
  await finished.publishMessage({ data: Buffer.from(path) });
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
