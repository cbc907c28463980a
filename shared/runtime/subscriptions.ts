import type { Topic } from '../messages/topics.ts';

export interface Subscription {
  /** The subscription has its name. */
  function: string;
  topic: Topic;
  /** A push that is not answered by then is delivered again, beside the one that may still be at work. */
  ackDeadlineSeconds: number;
  minBackoffSeconds: number;
  maxBackoffSeconds: number;
  /** Deliveries after which a message goes to `DEAD_LETTER_TOPIC`; absent where it would come from there. */
  maxDeliveryAttempts?: number;
}

export const DEAD_LETTER_TOPIC: Topic = 'dead-letter';

/** Longer than the function lane's limit of nine minutes, and the longest that Pub/Sub knows. */
const WHILE_AN_AGENT_WORKS = 600;
/** Reads and writes of records, and a few calls to GitHub. */
const SHORTLY = 60;
/** Twenty deliveries take two hours and twenty minutes: longer than most outages. What is due by then is asked for by the sweep as well. */
const BACKOFF = { minBackoffSeconds: 10, maxBackoffSeconds: 600 };
const RETRIES = { ...BACKOFF, maxDeliveryAttempts: 20 };

/** Every push subscription: what Terraform makes, and whoever stands in for Pub/Sub on one machine. */
export const SUBSCRIPTIONS: readonly Subscription[] = [
  {
    function: 'decomposition',
    topic: 'run-accepted',
    ackDeadlineSeconds: WHILE_AN_AGENT_WORKS,
    ...RETRIES,
  },
  {
    function: 'agent-execution',
    topic: 'task-dispatched',
    ackDeadlineSeconds: WHILE_AN_AGENT_WORKS,
    ...RETRIES,
  },
  { function: 'result-handling', topic: 'task-finished', ackDeadlineSeconds: SHORTLY, ...RETRIES },
  // Writes a whole change to GitHub, file by file.
  { function: 'integration', topic: 'run-finished', ackDeadlineSeconds: WHILE_AN_AGENT_WORKS, ...RETRIES },
  { function: 'notification', topic: 'notification-requested', ackDeadlineSeconds: SHORTLY, ...RETRIES },
  {
    function: 'dead-letters',
    topic: DEAD_LETTER_TOPIC,
    ackDeadlineSeconds: SHORTLY,
    ...BACKOFF,
  },
];

export function subscriptionOf(name: string): Subscription {
  const found = SUBSCRIPTIONS.find((subscription) => subscription.function === name);
  if (found === undefined) throw new Error(`no subscription is named ${name}`);
  return found;
}
