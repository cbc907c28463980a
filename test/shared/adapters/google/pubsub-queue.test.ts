import { PubSub, type Message } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readPubsubDeadLetter } from '../../../../shared/adapters/google/dead-letter.ts';
import { createPubsubQueue } from '../../../../shared/adapters/google/pubsub-queue.ts';
import type { Delivery, Receive } from '../../../../shared/ports/queue.ts';
import { queueContract, type QueueUnderTest, type ReceiveRequest } from '../../../contract/queue-contract.ts';
import { startEmulators, type Emulators } from '../../../support/emulators.ts';
import { group } from '../../../support/groups.ts';

const ALREADY_EXISTS = 6;

group('emulators')('Pub/Sub', () => {
  let emulators: Emulators;
  beforeAll(async () => {
    emulators = await startEmulators(['pubsub']);
  }, 60_000);
  afterAll(async () => {
    await emulators.stop();
  });

  const connect = () => new PubSub({ projectId: emulators.projectId });

  // oxlint-disable-next-line typescript/require-await
  queueContract('Pub/Sub', async () => make(connect()));

  it('says that a topic is missing, and that a later try will not help', async () => {
    const queue = createPubsubQueue({ pubsub: connect() });
    const publish = queue.publish(`none-${randomUUID()}`, { n: 1 });
    await expect(publish).rejects.toMatchObject({ name: 'PenstockError', code: 'config', retry: 'never' });
    await expect(publish).rejects.toThrow(/none-.*Terraform/);
    await queue.close();
  });

  it('gives up when nobody answers in time', async () => {
    const pubsub = new PubSub({ projectId: 'p', emulatorMode: true, apiEndpoint: '127.0.0.1:9' });
    const queue = createPubsubQueue({ pubsub, timeoutMs: 500 });
    const publish = queue.publish('some-topic', { n: 1 });
    await expect(publish).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
    await pubsub.close().catch(() => undefined);
  });
});

function make(pubsub: PubSub): QueueUnderTest {
  const queue = createPubsubQueue({ pubsub });
  return {
    queue,
    receive: (request, onMessage) => receive(pubsub, request, onMessage),
    readDeadLetter: readPubsubDeadLetter,
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
