import type { PubSub, Topic } from '@google-cloud/pubsub';
import { encodeMessage } from '../../ports/queue-rules.ts';
import type { Queue } from '../../ports/queue.ts';
import { callGoogle } from './google-call.ts';
import { repeatRequest, type Repeat } from './repeat-request.ts';

export interface PubsubQueueConfig {
  pubsub: PubSub;
  /** Of one publish, all its tries included. @default 15000 */
  timeoutMs?: number;
  /** Told of each publish that is sent again: there is no other repetition. */
  onRepeat?: (repeat: Repeat) => void;
  /** What to do when no answer comes, for messages. */
  ifUnreachable?: string;
}

const ROLE = 'roles/pubsub.publisher';
const IF_MISSING =
  'apply the Terraform configuration, or set GOOGLE_CLOUD_PROJECT to the project that has the topic';
const TIMEOUT_MS = 15_000;
/** Of one request. */
const MAX_TOGETHER = 500;

/**
 * Publishes to topics that Terraform made. No message waits for others, because a function may be frozen as soon as it has answered;
 * but those of the same moment, such as the tasks that one has released, go in one request.
 */
export function createPubsubQueue(config: PubsubQueueConfig): Queue {
  const { pubsub, timeoutMs = TIMEOUT_MS, onRepeat = () => undefined, ifUnreachable } = config;
  const hint = ifUnreachable === undefined ? {} : { ifUnreachable };
  const topics = new Map<string, Topic>();
  const flushing = new Set<Topic>();
  let isAuthenticated = false;

  function topicOf(name: string): Topic {
    const known = topics.get(name);
    if (known !== undefined) return known;
    // The library would repeat out of sight.
    const gaxOpts = { timeout: timeoutMs, retry: null };
    const topic = pubsub.topic(name, { batching: { maxMessages: MAX_TOGETHER }, gaxOpts });
    topics.set(name, topic);
    return topic;
  }

  /** At the end of this turn, whatever was published in it; the library alone would wait for milliseconds. */
  function flush(topic: Topic): void {
    if (flushing.has(topic)) return;
    flushing.add(topic);
    setImmediate(() => {
      flushing.delete(topic);
      // What fails is told to each publisher.
      topic.flush().catch(() => undefined);
    });
  }

  /** Without credentials the library's request would end the process. */
  async function authenticate(): Promise<void> {
    if (isAuthenticated) return;
    await pubsub.auth.getClient();
    isAuthenticated = true;
  }

  async function send(topic: Topic, message: { data: Buffer; attributes: Record<string, string> }) {
    await authenticate();
    const sent = topic.publishMessage(message);
    flush(topic);
    await sent;
  }

  return {
    async publish(topic, message, { attributes = {} } = {}) {
      const data = Buffer.from(encodeMessage(topic, message, attributes));
      const what = `publish on topic ${topic}`;
      await callGoogle({ what, role: ROLE, timeoutMs, ifMissing: IF_MISSING, ...hint }, (signal) =>
        repeatRequest({ what, signal, onRepeat }, () => send(topicOf(topic), { data, attributes })),
      );
    },
    close: () => callGoogle({ what: 'close of Pub/Sub', role: ROLE, timeoutMs }, () => pubsub.close()),
  };
}
