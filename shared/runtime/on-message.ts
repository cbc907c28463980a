import type { CloudEvent } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { type Message, type Topic, topics } from '../messages/topics.ts';
import { isTransient, PenstockError } from '../ports/penstock-error.ts';
import type { Span } from '../ports/trace.ts';
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
 * transient → thrown, so that the message is delivered again with backoff. Each delivery is a span of its message's trace.
 */
export function onMessage<T extends Topic>(
  fn: MessageFunction<T>,
  ports: Ports,
  incoming: IncomingMessage,
): Promise<void> {
  const { tenant, run, task, generation, traceparent } = incoming.attributes;
  const fields = {
    tenant,
    run,
    task,
    ...(generation === undefined ? {} : { generation: Number(generation) }),
  };
  const start = { name: fn.name, kind: 'consumer', parent: traceparent, fields } as const;
  return ports.trace.span(start, (span) => receive(fn, ports, { incoming, span }));
}

async function receive<T extends Topic>(
  fn: MessageFunction<T>,
  ports: Ports,
  { incoming, span }: { incoming: IncomingMessage; span: Span },
): Promise<void> {
  const parsed = topics[fn.topic].safeParse(incoming.message);
  if (!parsed.success) {
    const error = `not a ${fn.topic} message: ${z.prettifyError(parsed.error)}`;
    span.fail(error);
    return keep(fn, ports, incoming, error);
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
    span.fail(error);
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
    /** Absent where the message has attributes only. */
    data: z.string().default(''),
    messageId: z.string(),
    attributes: z.record(z.string(), z.string()).nullish(),
  }),
});

/**
 * A Pub/Sub push as the functions framework hands it over: a CloudEvent around a base64 body, or, where that is empty, the push
 * itself. What is neither is a message that no schema takes.
 */
export function fromCloudEvent(event: CloudEvent<unknown>): IncomingMessage {
  const parsed = pushed.safeParse(event.data ?? event);
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
