import { PenstockError } from './penstock-error.ts';
import type { Versioned } from './store.ts';

/** The last document of a page: where the next one goes on. */
export interface PagePosition {
  path: string;
  /** Its values of the fields that the query is sorted by. */
  values: unknown[];
}

function encodeCursor(position: PagePosition): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** Throws `invalid` for what {@link encodeCursor} did not make, or made for a query with another number of sort fields. */
export function decodeCursor(cursor: string, fieldCount: number): PagePosition {
  const position = parse(cursor);
  if (isPosition(position) && position.values.length === fieldCount) return position;
  throw new PenstockError(
    'invalid',
    'the cursor is not one of this query; ask for the first page without a cursor',
  );
}

function isPosition(value: unknown): value is PagePosition {
  if (typeof value !== 'object' || value === null || !('path' in value) || !('values' in value)) return false;
  const isPath = typeof value.path === 'string' && /^[^/]+\/[^/]+(\/[^/]+\/[^/]+)*$/.test(value.path);
  return isPath && Array.isArray(value.values);
}

/** Where a page that ends with this document goes on. */
export function cursorAfter({ ref, data }: Versioned<object>, fields: string[]): string {
  const values = fields.map((field) => (data as Record<string, unknown>)[field]);
  return encodeCursor({ path: `${ref.collection}/${ref.id}`, values });
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
