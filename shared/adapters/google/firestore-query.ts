import { FieldPath, type Firestore, type Query as FirestoreQuery } from '@google-cloud/firestore';
import { decodeCursor } from '../../ports/page-cursor.ts';
import { orderFields } from '../../ports/store-rules.ts';
import type { CountQuery, Query } from '../../ports/store.ts';
import { encodeFieldName, encodeValue } from './firestore-document.ts';

type Filters = Pick<CountQuery, 'from' | 'where'>;

export function filteredQuery(firestore: Firestore, { from, where = [] }: Filters): FirestoreQuery {
  const source: FirestoreQuery =
    'group' in from ? firestore.collectionGroup(from.group) : firestore.collection(from.collection);
  return where.reduce((query, { field, op, value }) => query.where(fieldPath(field), op, value), source);
}

/** One document more than the limit tells whether there is another page. */
export function pageQuery<T extends object>(firestore: Firestore, query: Query<T>): FirestoreQuery {
  const fields = orderFields(query);
  const direction = query.orderBy?.direction ?? 'asc';
  const sorted = fields
    .reduce(
      (unsorted, field) => unsorted.orderBy(fieldPath(field), direction),
      filteredQuery(firestore, query),
    )
    .orderBy(FieldPath.documentId(), direction)
    .limit(query.limit + 1);
  if (query.cursor === undefined) return sorted;
  const { path, values } = decodeCursor(query.cursor, fields.length);
  return sorted.startAfter(...values.map((value) => encodeValue(value)), firestore.doc(path));
}

export function fieldPath(field: string): FieldPath {
  return new FieldPath(encodeFieldName(field));
}
