import { createHash } from 'node:crypto';

/** What an answer binds to: SHA-256 of everything that it would be wrong to decide about once it has changed. */
export function contentHashOf(content: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
