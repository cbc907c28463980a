import type { Message, PubSub } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readPubsubDeadLetter } from '../../../../shared/adapters/google/dead-letter.ts';
import { createPubsubClient } from '../../../../shared/adapters/google/pubsub-client.ts';
import { createPubsubQueue } from '../../../../shared/adapters/google/pubsub-queue.ts';
import type { Delivery, Receive } from '../../../../shared/ports/queue.ts';
import { queueContract, type QueueUnderTest, type ReceiveRequest } from '../../../contract/queue-contract.ts';
import { startEmulators, type Emulators } from '../../../support/emulators.ts';
import { group } from '../../../support/groups.ts';
import { turns } from '../../../support/world/turns.ts';

const ALREADY_EXISTS = 6;

group('emulators')('Pub/Sub', () => {
  let emulators: Emulators;
  beforeAll(async () => {
    emulators = await startEmulators(['pubsub']);
  }, 300_000);
  afterAll(async () => {
    await emulators.stop();
  });

  const connect = () =>
    createPubsubClient({ projectId: emulators.projectId, emulatorHost: emulators.pubsubHost });

  // oxlint-disable-next-line typescript/require-await
  queueContract('Pub/Sub', async () => make(connect()), { hasWire: true });

  it('says that a topic is missing, and that a later try will not help', async () => {
    const queue = createPubsubQueue({ pubsub: connect() });
    const publish = queue.publish(`none-${randomUUID()}`, { n: 1 });
    await expect(publish).rejects.toMatchObject({ name: 'PenstockError', code: 'config', retry: 'never' });
    await expect(publish).rejects.toThrow(/none-.*Terraform/);
    await queue.close();
  });

  it('sends a message at once, and those of the same moment together', async () => {
    const pubsub = connect();
    const topic = `topic-${randomUUID()}`;
    await pubsub.createTopic(topic);
    const requests = countRequests(pubsub);
    const queue = createPubsubQueue({ pubsub });
    await queue.publish(topic, { n: -1 });
    expect(requests()).toBe(1);
    await Promise.all(Array.from({ length: 200 }, (_, n) => queue.publish(topic, { n })));
    expect(requests()).toBe(2);
    // The library alone would hold it back for 10 ms, by a timer.
    const sent = queue.publish(topic, { n: 200 });
    await turns(3);
    expect(requests()).toBe(3);
    await sent;
    await queue.close();
  });
});

function countRequests(pubsub: PubSub): () => number {
  const request = pubsub.request.bind(pubsub);
  let count = 0;
  pubsub.request = (config, callback) => {
    if (config.method === 'publish') count += 1;
    request(config, callback);
  };
  return () => count;
}

function make(pubsub: PubSub): QueueUnderTest {
  const request = pubsub.request.bind(pubsub);
  let isAnswerLost = false;
  pubsub.request = (config, callback) => {
    const loses = isAnswerLost && config.method === 'publish';
    if (loses) isAnswerLost = false;
    request(config, (error, answer) => {
      const lost = Object.assign(new Error('connection reset'), { code: 14 });
      callback(loses ? (lost as typeof error) : error, answer as never);
    });
  };
  const queue = createPubsubQueue({ pubsub });
  return {
    queue,
    receive: (where, onMessage) => receive(pubsub, where, onMessage),
    readDeadLetter: readPubsubDeadLetter,
    loseNextAnswer: () => (isAnswerLost = true),
    close: () => queue.close(),
  };
}

async function receive(
  pubsub: PubSub,
  request: ReceiveRequest,
  onMessage: Receive,
): Promise<() => Promise<void>> {
  const { topic, subscription = `sub-${randomUUID()}`, deadLetterTopic, maxDeliveries = 5 } = request;
  await unlessThere(pubsub.createTopic(topic));
  await unlessThere(
    pubsub.topic(topic).createSubscription(subscription, {
      retryPolicy: { minimumBackoff: { nanos: 10_000_000 }, maximumBackoff: { nanos: 50_000_000 } },
      ...(deadLetterTopic === undefined
        ? {}
        : deadLetters(pubsub.topic(deadLetterTopic).name, maxDeliveries)),
    }),
  );
  const listener = pubsub.subscription(subscription);
  listener.on('message', (message: Message) => {
    onMessage(toDelivery(topic, subscription, message)).then(
      () => message.ack(),
      () => message.nack(),
    );
  });
  return () => listener.close();
}

function deadLetters(deadLetterTopic: string, maxDeliveryAttempts: number) {
  return { deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts } };
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  await creation.catch((error: { code?: number }) => {
    if (error.code !== ALREADY_EXISTS) throw error;
  });
}

function toDelivery(topic: string, subscription: string, message: Message): Delivery {
  return {
    topic,
    subscription,
    messageId: message.id,
    message: JSON.parse(message.data.toString()) as object,
    attributes: { ...message.attributes },
    publishedAt: message.publishTime.getTime(),
    // Counted only where there is a dead-letter topic.
    deliveryAttempt: message.deliveryAttempt || 1,
  };
}
