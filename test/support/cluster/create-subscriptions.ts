import {
  DEAD_LETTER_TOPIC,
  type Subscription,
  SUBSCRIPTIONS,
} from '../../../shared/runtime/subscriptions.ts';
import { createTopics } from '../create-topics.ts';
import { askPubsub } from '../ask-pubsub.ts';

export interface Delivered {
  pubsubHost: string;
  projectId: string;
  /** Where a function listens. */
  urlOf: (name: string) => string;
  /** In place of what Terraform makes, so that a test need not wait for it. */
  delivery?: Partial<Omit<Subscription, 'function' | 'topic'>>;
}

/** Makes the topics and push subscriptions on the Pub/Sub emulator, as Terraform makes them in a project. Answers how to end deliveries. */
export async function createSubscriptions({
  pubsubHost,
  projectId,
  urlOf,
  delivery,
}: Delivered): Promise<() => Promise<void>> {
  const call = (method: 'PUT' | 'DELETE', path: string, body?: object): Promise<void> =>
    askPubsub(pubsubHost, method, `${projectId}/${path}`, body);
  const wanted = SUBSCRIPTIONS.map((subscription) => ({ ...subscription, ...delivery }));
  await createTopics(pubsubHost, projectId);
  await Promise.all(
    wanted.map((one) =>
      call('PUT', `subscriptions/${one.function}`, describe(one, projectId, urlOf(one.function))),
    ),
  );
  return async () => {
    await Promise.all(wanted.map((one) => call('DELETE', `subscriptions/${one.function}`)));
  };
}

function describe(subscription: Subscription, projectId: string, url: string): object {
  const topic = `projects/${projectId}/topics/${subscription.topic}`;
  const { maxDeliveryAttempts } = subscription;
  const isLast = subscription.topic === DEAD_LETTER_TOPIC;
  return {
    topic,
    // The functions framework reads the topic from the path.
    pushConfig: { pushEndpoint: `${url}/${topic}` },
    ackDeadlineSeconds: subscription.ackDeadlineSeconds,
    retryPolicy: {
      minimumBackoff: `${subscription.minBackoffSeconds}s`,
      maximumBackoff: `${subscription.maxBackoffSeconds}s`,
    },
    ...(isLast || maxDeliveryAttempts === undefined
      ? {}
      : {
          deadLetterPolicy: {
            deadLetterTopic: `projects/${projectId}/topics/${DEAD_LETTER_TOPIC}`,
            maxDeliveryAttempts,
          },
        }),
  };
}
