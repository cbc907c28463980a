import type { CloudEvent } from '@google-cloud/functions-framework';
import { z } from 'zod';
import { type Message, type Topic, topics } from '../messages/topics.ts';
import { isTransient } from '../ports/penstock-error.ts';
import { refs } from '../core/refs.ts';
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
    const fields = { function: fn.name, ...(run === undefined ? {} : { run }), ...(task === undefined ? {} : { task }) };
    if (isTransient(error)) {
      ports.log.warn(`${fn.name} will be tried again: ${text}`, fields);
      throw error;
    }
    ports.log.error(`${fn.name} gave up on message ${incoming.messageId}: ${text}`, fields);
    await keep(fn, ports, incoming, text);
  }
}

/** A message that can never be handled is kept for a person; the same one again is the same record. */
async function keep(fn: MessageFunction, ports: Ports, incoming: IncomingMessage, error: string): Promise<void> {
  const tenant = tenantOf(incoming, ports.policy.defaultTenant);
  const id = `${fn.name}-${incoming.messageId}`.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 200);
  await ports.store.create(refs.deadLetter(tenant, id), {
    v: 1,
    topic: fn.topic,
    subscription: fn.name,
    messageId: incoming.messageId,
    message: isRecord(incoming.message) ? incoming.message : { text: JSON.stringify(incoming.message) ?? '' },
    attributes: incoming.attributes,
    error: error.slice(0, MAX_ERROR_CHARS),
    at: ports.clock.now(),
  });
}

const MAX_ERROR_CHARS = 4_000;

function tenantOf({ attributes }: IncomingMessage, fallback: string): string {
  return /^[a-z][a-z0-9-]{0,38}$/.exec(attributes['tenant'] ?? '')?.[0] ?? fallback;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const pushed = z.object({
  message: z.object({
    data: z.string(),
    messageId: z.string(),
    attributes: z.record(z.string(), z.string()).nullish(),
  }),
});

/** A Pub/Sub push as the functions framework hands it over: a CloudEvent around a base64 body. */
export function fromCloudEvent(event: CloudEvent<unknown>): IncomingMessage {
  const { message } = pushed.parse(event.data);
  return { messageId: message.messageId, message: parseJson(message.data), attributes: message.attributes ?? {} };
}

function parseJson(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}
