import type { SignedUrlRequest } from './blobs.ts';
import { PenstockError } from './penstock-error.ts';

/** Cloud Storage's own limit is 1,024. */
export const MAX_BLOB_KEY_BYTES = 1000;
/** What a file name can hold, less what an adapter adds. */
export const MAX_BLOB_SEGMENT_BYTES = 200;
export const MAX_BLOB_PAGE = 1000;
/** Cloud Storage signs for seven days at most. */
export const MAX_SIGNED_URL_MS = 7 * 24 * 60 * 60 * 1000;

export function isBlobKey(key: string): boolean {
  return key.length <= MAX_BLOB_KEY_BYTES && key.split('/').every(isSegment);
}

function isSegment(segment: string): boolean {
  const isName = /^[A-Za-z0-9._-]+$/.test(segment) && segment !== '.' && segment !== '..';
  return isName && segment.length <= MAX_BLOB_SEGMENT_BYTES;
}

export function checkBlobKey(key: string): void {
  if (isBlobKey(key)) return;
  throw new PenstockError(
    'invalid',
    `blob key ${JSON.stringify(key.slice(0, 120))} is refused; use segments of [A-Za-z0-9._-] between slashes, not "." or ".."`,
  );
}

export function checkBlobPage(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_BLOB_PAGE) return;
  throw new PenstockError('invalid', `the limit of a list of blobs is 1 to ${MAX_BLOB_PAGE}, not ${limit}`);
}

export function checkSignedUrlRequest(request: SignedUrlRequest): void {
  checkBlobKey(request.key);
  if (request.expiresInMs > 0 && request.expiresInMs <= MAX_SIGNED_URL_MS) return;
  throw new PenstockError(
    'invalid',
    `a signed URL for ${request.key} lives 1 to ${MAX_SIGNED_URL_MS} ms, not ${request.expiresInMs}`,
  );
}
