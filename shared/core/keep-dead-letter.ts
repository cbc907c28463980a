import { createHash } from 'node:crypto';
import type { Message } from '../messages/topics.ts';
import { failRun } from './fail-run.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';

/** A message that every delivery failed with: kept for a person, and its run ends instead of waiting for ever. */
export async function keepDeadLetter(ports: Ports, letter: Message<'dead-letter'>): Promise<void> {
  const tenant = letter.attributes['tenant'] ?? ports.policy.defaultTenant;
  const run = letter.attributes['run'];
  const name = `${letter.subscription}\n${letter.messageId ?? JSON.stringify(letter.message)}`;
  const id = createHash('sha256').update(name).digest('hex').slice(0, 32);
  const error = letter.error ?? 'every delivery failed; the logs of the function say why';
  await ports.store.create(refs.deadLetter(tenant, id), {
    v: 1,
    topic: letter.topic ?? '',
    subscription: letter.subscription,
    messageId: letter.messageId ?? '',
    message: letter.message,
    attributes: letter.attributes,
    error,
    at: ports.clock.now(),
  });
  if (run === undefined || letter.topic === 'notification-requested') return;
  await failRun(
    ports,
    { tenant, id: run },
    {
      code: 'dead_letter',
      message: `a message to ${letter.subscription} failed ${letter.deliveryAttempt} times: ${error}`,
    },
  );
}
