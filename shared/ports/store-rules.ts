import type { CountQuery, DocumentRef, Query, Scalar, SumQuery, Where, Write } from './store.ts';
import { MAX_COMMIT_WRITES, MAX_DOCUMENT_BYTES, MAX_PAGE } from './store.ts';
import { PenstockError } from './penstock-error.ts';
import { isLonger } from './utf8-length.ts';

/** Objects and arrays inside one another. */
export const MAX_DOCUMENT_DEPTH = 100;
/** UTF-8 bytes of a field name, at any level. */
export const MAX_FIELD_NAME_BYTES = 1000;
/** UTF-8 bytes of a document id or a path segment. */
export const MAX_ID_BYTES = 1000;
/** UTF-8 bytes of a string in a filter: Firestore indexes no more than 1,500. */
export const MAX_FILTER_BYTES = 1400;
/** Values of one `in`. */
export const MAX_IN_VALUES = 30;

/** Refuses what one of the stores could not hold, with the same words everywhere. */
export function checkRef(ref: DocumentRef<object>): void {
  checkCollection(ref.collection);
  checkSegment(ref.id, `id of a document of ${ref.collection}`);
}

/** The document as JSON text, which is what the limit of {@link MAX_DOCUMENT_BYTES} is measured on. */
export function encodeDocument(ref: DocumentRef<object>, data: object): string {
  const name = `document ${ref.collection}/${ref.id}`;
  if (Array.isArray(data)) throw new PenstockError('invalid', `${name} is an array; wrap it in an object`);
  checkValue(data, name, 0);
  const text = JSON.stringify(data);
  if (isLonger(text, MAX_DOCUMENT_BYTES)) {
    throw new PenstockError(
      'too_large',
      `${name} has ${Buffer.byteLength(text)} bytes, the limit is ${MAX_DOCUMENT_BYTES}; put large content into Blobs and its key here`,
    );
  }
  return text;
}

export function checkWrites(writes: Write[]): void {
  if (writes.length === 0) throw new PenstockError('invalid', 'the commit has no writes; skip it');
  if (writes.length > MAX_COMMIT_WRITES) {
    throw new PenstockError(
      'too_large',
      `the commit has ${writes.length} writes, the limit is ${MAX_COMMIT_WRITES}; split it into several commits`,
    );
  }
  const named = new Set<string>();
  for (const { ref } of writes) {
    checkRef(ref);
    const path = `${ref.collection}/${ref.id}`;
    if (named.has(path)) throw new PenstockError('invalid', `the commit writes ${path} twice; write it once`);
    named.add(path);
  }
}

export function checkRefs(refs: DocumentRef<object>[]): void {
  if (refs.length > MAX_PAGE) {
    throw new PenstockError('too_large', `${refs.length} documents asked for, the limit is ${MAX_PAGE}`);
  }
  refs.forEach(checkRef);
}

export function checkQuery<T extends object>(query: Query<T>): void {
  checkFilters(query);
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > MAX_PAGE) {
    throw new PenstockError('invalid', `the limit of a query is 1 to ${MAX_PAGE}, not ${query.limit}`);
  }
}

export function checkCount({ upTo, ...query }: CountQuery): void {
  checkFilters(query);
  if (upTo !== undefined && (!Number.isSafeInteger(upTo) || upTo < 1)) {
    throw new PenstockError('invalid', `a count goes up to a whole number from 1, not ${upTo}`);
  }
}

export function checkSum({ field, ...query }: SumQuery): void {
  checkFilters(query);
  checkFieldName(field, 'the field of a sum');
}

function checkFilters({ from, where = [] }: Pick<Query<object>, 'from' | 'where'>): void {
  if ('collection' in from) checkCollection(from.collection);
  else checkSegment(from.group, 'collection group');
  let lists = 0;
  let items = 0;
  for (const filter of where) {
    checkFilter(filter);
    if (filter.op === 'in') lists += 1;
    if (filter.op === 'array-contains') items += 1;
  }
  if (lists > 1 || items > 1) {
    const op = lists > 1 ? 'in' : 'array-contains';
    throw new PenstockError('invalid', `a query has at most one filter with ${op}; filter the rest in code`);
  }
}

/** The fields that a page is sorted by, before the path: the one asked for, and those of range filters. */
export function orderFields<T extends object>({ orderBy, where = [] }: Query<T>): string[] {
  const ranged = where.flatMap(({ op, field }) => (['<', '<=', '>', '>='].includes(op) ? [field] : []));
  return [...new Set([...(orderBy === undefined ? [] : [orderBy.field]), ...ranged.toSorted()])];
}

function checkFilter(filter: Where): void {
  const values: Scalar[] = filter.op === 'in' ? filter.value : [filter.value];
  const where = `filter on ${filter.field}`;
  if (values.length === 0 || values.length > MAX_IN_VALUES) {
    throw new PenstockError(
      'invalid',
      `${where}: in takes 1 to ${MAX_IN_VALUES} values, not ${values.length}`,
    );
  }
  for (const value of values) {
    if (value !== null && typeof value === 'object') {
      throw new PenstockError('invalid', `${where}: a value is a string, number, boolean or null`);
    }
    checkValue(value, where, 0);
    if (value === null && filter.op !== '==') {
      throw new PenstockError('invalid', `${where}: null goes with == only`);
    }
    if (typeof value === 'string' && isLonger(value, MAX_FILTER_BYTES)) {
      throw new PenstockError(
        'invalid',
        `${where}: a string in a filter has at most ${MAX_FILTER_BYTES} bytes`,
      );
    }
  }
}

/** Found right already: the same few are named again and again. */
const knownCollections = new Set<string>();
const MAX_KNOWN_COLLECTIONS = 10_000;

function checkCollection(collection: string): void {
  if (knownCollections.has(collection)) return;
  const segments = collection.split('/');
  if (segments.length % 2 === 0) {
    throw new PenstockError(
      'invalid',
      `${collection} is no collection: its path has an even number of segments`,
    );
  }
  for (const segment of segments) checkSegment(segment, `segment of the path ${JSON.stringify(collection)}`);
  if (knownCollections.size >= MAX_KNOWN_COLLECTIONS) knownCollections.clear();
  knownCollections.add(collection);
}

/** What nearly all ids look like: none of them can be refused. */
const PLAIN_ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,199}$/;

/** Firestore's rules for ids; control characters are refused because the local store sorts paths with one. */
function checkSegment(id: string, what: string): void {
  if (PLAIN_ID.test(id)) return;
  const refused =
    id === '' || id === '.' || id === '..' || id.includes('/') || /^__.*__$/s.test(id) || !id.isWellFormed();
  // oxlint-disable-next-line no-control-regex
  if (refused || /[\u0000-\u001f]/.test(id) || isLonger(id, MAX_ID_BYTES)) {
    throw new PenstockError(
      'invalid',
      `${what}: ${JSON.stringify(id.slice(0, 80))} is refused; use 1 to ${MAX_ID_BYTES} bytes without slash or control characters, not ".", ".." or "__…__"`,
    );
  }
}

function checkValue(value: unknown, where: string, depth: number): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new PenstockError('invalid', `${where}: ${value} is not a JSON number`);
    return;
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      throw new PenstockError('invalid', `${where}: a string has half a surrogate pair`);
    return;
  }
  if (typeof value !== 'object') {
    throw new PenstockError(
      'invalid',
      `${where}: ${typeof value} is not JSON; leave the field out or use null`,
    );
  }
  if (depth >= MAX_DOCUMENT_DEPTH) {
    throw new PenstockError('invalid', `${where}: deeper than ${MAX_DOCUMENT_DEPTH} levels`);
  }
  if (Array.isArray(value)) {
    // Not forEach: it would skip the holes that JSON turns into null.
    for (const item of value as unknown[]) checkValue(item, where, depth + 1);
    return;
  }
  checkObject(value, where, depth);
}

function checkObject(value: object, where: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm (a test's vm context) has another Object.prototype, but nothing above it.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new PenstockError(
      'invalid',
      `${where}: an instance of a class is not JSON; dates are epoch milliseconds`,
    );
  }
  for (const name of Object.keys(value)) {
    checkFieldName(name, where);
    checkValue((value as Record<string, unknown>)[name], where, depth + 1);
  }
}

function checkFieldName(name: string, where: string): void {
  if (isLonger(name, MAX_FIELD_NAME_BYTES) || !name.isWellFormed()) {
    throw new PenstockError(
      'invalid',
      `${where}: field name ${JSON.stringify(name.slice(0, 40))} is longer than ${MAX_FIELD_NAME_BYTES} bytes or not Unicode`,
    );
  }
}
