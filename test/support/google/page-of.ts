import { GoogleApiError } from './google-server.ts';

const FIRST = 'from-';

/** A page of a list, by `pageSize` and `pageToken`; a size that is too large is the largest. Empty is as good as absent. */
export function pageOf<T>(
  all: T[],
  { pageSize, pageToken }: Record<string, string>,
  maxPageSize: number,
): { items: T[]; nextPageToken?: string } {
  const size = Number(pageSize ?? 0);
  if (!Number.isInteger(size) || size < 0) throw new GoogleApiError(400, `Invalid page size ${pageSize}.`);
  const token = pageToken || `${FIRST}0`;
  const from = Number(token.replace(FIRST, ''));
  if (!token.startsWith(FIRST) || !Number.isInteger(from))
    throw new GoogleApiError(400, 'Invalid page token.');
  const to = from + Math.min(size === 0 ? maxPageSize : size, maxPageSize);
  return { items: all.slice(from, to), ...(to < all.length ? { nextPageToken: `${FIRST}${to}` } : {}) };
}
