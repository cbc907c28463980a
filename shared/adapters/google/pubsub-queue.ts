import type { PubSub, Topic } from '@google-cloud/pubsub';
import { encodeMessage } from '../../ports/queue-rules.ts';
import type { Queue } from '../../ports/queue.ts';
import { callGoogle } from './google-call.ts';

export interface PubsubQueueConfig {
  pubsub: PubSub;
  /** Of one publish, the client library's own retries included. @default 15000 */
  timeoutMs?: number;
}

const ROLE = 'roles/pubsub.publisher';
const TIMEOUT_MS = 15_000;

/** Publishes to topics that Terraform made. Each message goes at once: a function may be frozen as soon as it has answered. */
export function createPubsubQueue({ pubsub, timeoutMs = TIMEOUT_MS }: PubsubQueueConfig): Queue {
  const topics = new Map<string, Topic>();

  function topicOf(name: string): Topic {
    const known = topics.get(name);
    if (known !== undefined) return known;
    const topic = pubsub.topic(name, { batching: { maxMessages: 1 }, gaxOpts: { timeout: timeoutMs } });
    topics.set(name, topic);
    return topic;
  }

  return {
    async publish(topic, message, { attributes = {} } = {}) {
      const data = Buffer.from(encodeMessage(topic, message, attributes));
      await callGoogle({ what: `publish on topic ${topic}`, role: ROLE, timeoutMs }, () =>
        topicOf(topic).publishMessage({ data, attributes }),
      );
    },
    close: () => callGoogle({ what: 'close of Pub/Sub', role: ROLE, timeoutMs }, () => pubsub.close()),
  };
}
