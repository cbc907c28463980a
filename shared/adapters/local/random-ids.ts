import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Ids } from '../../ports/ids.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const SHORT_LENGTH = 8;
const SECRET_BYTES = 32;
/** The largest range of `randomInt` is below 2^48. */
const FRACTION_STEPS = 2 ** 47;

/** Randomness of the operating system. */
export function createRandomIds(): Ids {
  return {
    short: () => Array.from({ length: SHORT_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
    uuid: () => randomUUID(),
    secret: () => randomBytes(SECRET_BYTES).toString('base64url'),
    fraction: () => randomInt(FRACTION_STEPS) / FRACTION_STEPS,
  };
}
