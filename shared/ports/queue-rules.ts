import type { Attributes } from './queue.ts';
import { PenstockError } from './penstock-error.ts';
import { isLonger } from './utf8-length.ts';

/** UTF-8 bytes of a message as JSON. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Pub/Sub's limits. */
export const MAX_ATTRIBUTES = 100;
export const MAX_ATTRIBUTE_NAME_BYTES = 256;
export const MAX_ATTRIBUTE_VALUE_BYTES = 1024;

/** The message as JSON text. Refuses what one of the queues could not carry, with the same words everywhere. */
export function encodeMessage(topic: string, message: object, attributes: Attributes): string {
  if (!/^(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}$/.test(topic)) {
    throw new PenstockError(
      'invalid',
      `topic ${JSON.stringify(topic.slice(0, 80))} is no topic name of Pub/Sub`,
    );
  }
  const text = JSON.stringify(message) as string | undefined;
  if (text === undefined || !text.startsWith('{')) {
    throw new PenstockError('invalid', `the message for ${topic} is not a JSON object`);
  }
  if (isLonger(text, MAX_MESSAGE_BYTES)) {
    throw new PenstockError(
      'too_large',
      `the message for ${topic} has ${Buffer.byteLength(text)} bytes, the limit is ${MAX_MESSAGE_BYTES}; send ids, not state`,
    );
  }
  checkAttributes(topic, attributes);
  return text;
}

function checkAttributes(topic: string, attributes: Attributes): void {
  const entries = Object.entries(attributes) as [string, unknown][];
  const refused = entries.find((entry) => !isAttribute(entry));
  if (refused !== undefined || entries.length > MAX_ATTRIBUTES) {
    throw new PenstockError(
      'invalid',
      `attribute ${refused?.[0] ?? `number ${MAX_ATTRIBUTES + 1}`} of the message for ${topic} is refused; ` +
        `attributes are at most ${MAX_ATTRIBUTES} strings of at most ${MAX_ATTRIBUTE_VALUE_BYTES} bytes, names do not begin with goog`,
    );
  }
}

function isAttribute([name, value]: [string, unknown]): boolean {
  const isName = name !== '' && !name.startsWith('goog') && !isLonger(name, MAX_ATTRIBUTE_NAME_BYTES);
  return isName && typeof value === 'string' && !isLonger(value, MAX_ATTRIBUTE_VALUE_BYTES);
}
