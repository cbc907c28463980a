import { apiError } from './api-error.ts';

/** What `pageSize` and `pageToken` ask for; the token is the last id of the page before. */
export function pageOf(query: URLSearchParams, most: number): { limit: number; after?: string } {
  const size = Number(query.get('pageSize') ?? 0);
  if (!Number.isInteger(size) || size < 0) throw apiError(400, 'pageSize takes a whole number from 0');
  const after = query.get('pageToken') ?? '';
  return { limit: size === 0 ? most : Math.min(size, most), ...(after === '' ? {} : { after }) };
}
