import { runId } from '../messages/identifiers.ts';
import type { Message } from '../messages/topics.ts';
import { failRun } from './fail-run.ts';
import { keepMessageLetter, tenantOfMessage } from './keep-message-letter.ts';
import type { Ports } from './ports.ts';
import { redact } from './repository/scan-secrets.ts';

/** A message that every delivery failed with: kept for a person, and its run ends instead of waiting for ever. */
export async function keepDeadLetter(ports: Ports, letter: Message<'dead-letter'>): Promise<void> {
  const { subscription, messageId, publishedAt, message, attributes } = letter;
  const run = runId.safeParse(attributes['run']).data;
  // Not every platform says which topic it was; the publisher does.
  const topic = letter.topic ?? attributes['topic'] ?? '';
  const error = letter.error ?? 'every delivery failed; the logs of the function say why';
  await keepMessageLetter(ports, {
    topic,
    subscription,
    messageId,
    publishedAt,
    message,
    attributes,
    error,
  });
  if (run === undefined || topic === 'notification-requested') return;
  await failRun(
    ports,
    { tenant: tenantOfMessage(ports, attributes), id: run },
    {
      code: 'dead_letter',
      message: `a message to ${subscription} failed ${letter.deliveryAttempt} times: ${redact(error)}`,
    },
  );
}
