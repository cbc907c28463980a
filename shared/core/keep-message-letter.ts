import { createHash } from 'node:crypto';
import { runId, tenantId } from '../messages/identifiers.ts';
import { isTransient, PenstockError } from '../ports/penstock-error.ts';
import type { MessageLetter } from './dead-letter.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { redact } from './repository/scan-secrets.ts';
import { redactDeep } from './work/redact-line.ts';

type KeepPorts = Pick<Ports, 'store' | 'clock' | 'policy'>;

/** A message as it came, and why it is given up. */
export interface GivenUp {
  topic: string;
  subscription: string;
  /** Absent: the message itself, and when it was published, tell it from others. */
  messageId: string | undefined;
  publishedAt?: string | undefined;
  message: unknown;
  attributes: Record<string, string>;
  error: string;
}

const MAX_ERROR_CHARS = 4_000;
/** Of a message that is kept as text. */
const MAX_TEXT_CHARS = 16_000;
/** A record holds no more. */
const MAX_LEVELS = 100;

/** Keeps a message that no delivery could handle, without secrets; the same one again is the same record. */
export async function keepMessageLetter(ports: KeepPorts, given: GivenUp): Promise<void> {
  const tenant = tenantOfMessage(ports, given.attributes);
  const ref = refs.deadLetter(tenant, idOf(given));
  const letter = letterOf(given, ports.clock.now());
  try {
    await ports.store.create(ref, letter);
  } catch (cause) {
    if (isTransient(cause) || !(cause instanceof PenstockError)) throw cause;
    // The store cannot hold the message as it is: too large, too deep, not Unicode. Its beginning as text says enough.
    const message = { text: textOf(given.message) };
    await ports.store.create(ref, { ...letter, message, attributes: {} });
  }
}

/** Whose a message is; what names no possible tenant is the default one's. */
export function tenantOfMessage(
  { policy }: Pick<Ports, 'policy'>,
  attributes: Record<string, string>,
): string {
  return tenantId.safeParse(attributes['tenant']).data ?? policy.defaultTenant;
}

function letterOf(given: GivenUp, at: number): MessageLetter {
  const { topic, subscription, message, attributes } = given;
  const isObject = typeof message === 'object' && message !== null && !Array.isArray(message);
  const run = runId.safeParse(isObject && 'run' in message ? message.run : attributes['run']).data;
  return {
    v: 1,
    kind: 'message',
    state: 'open',
    topic,
    subscription,
    messageId: cut(given.messageId ?? '', 200),
    message:
      isObject && isWithin(message, MAX_LEVELS)
        ? (redactDeep(message, redact) as Record<string, unknown>)
        : { text: textOf(message) },
    attributes: redactDeep(attributes, redact) as Record<string, string>,
    ...(run === undefined ? {} : { run }),
    error: cut(redact(given.error), MAX_ERROR_CHARS),
    at,
    replays: [],
  };
}

function idOf({ subscription, messageId, publishedAt = '', message }: GivenUp): string {
  const name = `${subscription}\n${messageId ?? publishedAt + jsonOf(message)}`;
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((item) => isWithin(item, levels - 1));
}

/** Redacted before it is cut: half a secret is not known as one. */
function textOf(message: unknown): string {
  const text = typeof message === 'string' ? message : jsonOf(message);
  return cut(redact(text.slice(0, 2 * MAX_TEXT_CHARS)), MAX_TEXT_CHARS);
}

function jsonOf(message: unknown): string {
  try {
    return JSON.stringify(message) ?? '';
  } catch {
    return 'a message that is nested too deeply to be written down';
  }
}

function cut(text: string, maxChars: number): string {
  return text.slice(0, maxChars).toWellFormed();
}
