import type { CloudEvent } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { type Message, type Topic, topics } from '../messages/topics.ts';
import { isTransient, PenstockError } from '../ports/penstock-error.ts';
import { failRun } from '../core/fail-run.ts';
import { keepMessageLetter } from '../core/keep-message-letter.ts';
import type { Ports } from '../core/ports.ts';
import type { MessageFunction } from './functions.ts';

/** What every delivery has, whoever delivers it. */
export interface IncomingMessage {
  messageId: string;
  message: unknown;
  attributes: Record<string, string>;
}

/**
 * The one place that maps errors of message functions: permanent → recorded and acknowledged (resolves);
 * transient → thrown, so that the message is delivered again with backoff.
 */
export async function onMessage<T extends Topic>(
  fn: MessageFunction<T>,
  ports: Ports,
  incoming: IncomingMessage,
): Promise<void> {
  const parsed = topics[fn.topic].safeParse(incoming.message);
  if (!parsed.success) {
    return keep(fn, ports, incoming, `not a ${fn.topic} message: ${z.prettifyError(parsed.error)}`);
  }
  try {
    await fn.handle(ports, parsed.data as Message<T>);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const { run, task } = incoming.attributes;
    const fields = {
      function: fn.name,
      ...(run === undefined ? {} : { run }),
      ...(task === undefined ? {} : { task }),
    };
    if (isTransient(error)) {
      ports.log.warn(`${fn.name} will be tried again: ${text}`, fields);
      throw error;
    }
    ports.log.error(`${fn.name} gave up on message ${incoming.messageId}: ${text}`, fields);
    await keep(fn, ports, incoming, text);
    if (error instanceof PenstockError) await endItsRun(ports, fn.topic, parsed.data, error);
  }
}

/** Like a message that every delivery failed with: its run ends instead of waiting for ever. Who lost a race leaves it to the winner. */
async function endItsRun(
  ports: Ports,
  topic: Topic,
  message: Message<Topic>,
  { code, message: text }: PenstockError,
): Promise<void> {
  if (!('run' in message) || topic === 'notification-requested' || code === 'stale' || code === 'conflict')
    return;
  await failRun(ports, { tenant: message.tenant, id: message.run }, { code, message: text });
}

/** A message that can never be handled is kept for a person; the same one again is the same record. */
function keep(fn: MessageFunction, ports: Ports, incoming: IncomingMessage, error: string): Promise<void> {
  return keepMessageLetter(ports, { topic: fn.topic, subscription: fn.name, ...incoming, error });
}

const pushed = z.object({
  message: z.object({
    data: z.string(),
    messageId: z.string(),
    attributes: z.record(z.string(), z.string()).nullish(),
  }),
});

/** A Pub/Sub push as the functions framework hands it over: a CloudEvent around a base64 body. What is none is a message that no schema takes. */
export function fromCloudEvent(event: CloudEvent<unknown>): IncomingMessage {
  const parsed = pushed.safeParse(event.data);
  if (!parsed.success)
    return { messageId: event.id, message: JSON.stringify(event.data) ?? '', attributes: {} };
  const { messageId, data, attributes } = parsed.data.message;
  return { messageId, message: parseJson(data), attributes: attributes ?? {} };
}

/** Text that is not JSON stays text: no topic takes it, and it is kept as it came. */
function parseJson(base64: string): unknown {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
