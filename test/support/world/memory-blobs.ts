import { checkBlobKey, checkBlobPage, checkSignedUrlRequest } from '../../../shared/ports/blob-rules.ts';
import type { Blobs } from '../../../shared/ports/blobs.ts';

/** Blobs without a disk: a thousand worlds need no thousand folders, and files would answer in no order that replays. */
export function createMemoryBlobs(): Blobs {
  const stored = new Map<string, Uint8Array>();
  const checked = (key: string): string => {
    checkBlobKey(key);
    return key;
  };
  /* oxlint-disable typescript/require-await -- also what is refused is a promise */
  return {
    async put(key, bytes, { ifAbsent = false } = {}) {
      if (ifAbsent && stored.has(checked(key))) return 'exists';
      stored.set(checked(key), typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes.slice());
      return 'stored';
    },
    async get(key) {
      return stored.get(checked(key))?.slice();
    },
    async list(prefix, { limit, cursor = '' }) {
      checkBlobPage(limit);
      const found = [...stored.keys()].filter((key) => key.startsWith(prefix) && key > cursor).toSorted();
      const keys = found.slice(0, limit);
      const last = keys.at(-1);
      return found.length > limit && last !== undefined ? { keys, cursor: last } : { keys };
    },
    async delete(key) {
      stored.delete(checked(key));
    },
    async signUrl(request) {
      checkSignedUrlRequest(request);
      return `http://127.0.0.1:9/blobs/${request.key}?${request.method}=${request.expiresInMs}`;
    },
  };
  /* oxlint-enable typescript/require-await */
}
