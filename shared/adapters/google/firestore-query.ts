import { decodeCursor } from '../../ports/page-cursor.ts';
import { orderFields } from '../../ports/store-rules.ts';
import type { CountQuery, Query, SumQuery, Where } from '../../ports/store.ts';
import { encodeFieldName, encodeValue } from './firestore-document.ts';
import { toProto } from './firestore-proto.ts';

/** A query in Firestore's form, over collections of the document `parent`. */
export interface StructuredQuery {
  parent: string;
  query: object;
}

const OPERATORS: Record<Where['op'], string> = {
  '==': 'EQUAL',
  '<': 'LESS_THAN',
  '<=': 'LESS_THAN_OR_EQUAL',
  '>': 'GREATER_THAN',
  '>=': 'GREATER_THAN_OR_EQUAL',
  in: 'IN',
  'array-contains': 'ARRAY_CONTAINS',
};

/** One document more than the limit tells whether there is another page. */
export function pageQuery<T extends object>(root: string, query: Query<T>): StructuredQuery {
  const fields = orderFields(query);
  const direction = query.orderBy?.direction === 'desc' ? 'DESCENDING' : 'ASCENDING';
  const { parent, query: filtered } = filteredQuery(root, query);
  return {
    parent,
    query: {
      ...filtered,
      orderBy: [...fields.map(fieldPath), '__name__'].map((path) => ({
        field: { fieldPath: path },
        direction,
      })),
      limit: { value: query.limit + 1 },
      ...(query.cursor === undefined ? {} : { startAt: positionOf(root, query.cursor, fields.length) }),
    },
  };
}

export function countQuery(root: string, query: CountQuery): StructuredQuery {
  const upTo = query.upTo === undefined ? {} : { upTo: { value: query.upTo } };
  return aggregateQuery(root, query, { count: upTo });
}

export function sumQuery(root: string, query: SumQuery): StructuredQuery {
  return aggregateQuery(root, query, { sum: { field: { fieldPath: fieldPath(query.field) } } });
}

function aggregateQuery(
  root: string,
  query: Pick<CountQuery, 'from' | 'where'>,
  aggregation: object,
): StructuredQuery {
  const { parent, query: structuredQuery } = filteredQuery(root, query);
  return { parent, query: { structuredQuery, aggregations: [{ alias: 'value', ...aggregation }] } };
}

function filteredQuery(root: string, { from, where = [] }: Pick<CountQuery, 'from' | 'where'>) {
  const filters = where.map(filterOf);
  const and = filters.length < 2 ? filters[0] : { compositeFilter: { op: 'AND', filters } };
  const filtered = and === undefined ? {} : { where: and };
  if ('group' in from) {
    return {
      parent: root,
      query: { from: [{ collectionId: from.group, allDescendants: true }], ...filtered },
    };
  }
  const [parent, collectionId] = splitLast(`${root}/${from.collection}`);
  return { parent, query: { from: [{ collectionId }], ...filtered } };
}

function filterOf({ field, op, value }: Where): object {
  const name = { fieldPath: fieldPath(field) };
  if (value === null) return { unaryFilter: { field: name, op: 'IS_NULL' } };
  return { fieldFilter: { field: name, op: OPERATORS[op], value: toProto(encodeValue(value)) } };
}

function positionOf(root: string, cursor: string, fieldCount: number): object {
  const { path, values } = decodeCursor(cursor, fieldCount);
  return {
    values: [...values.map((value) => toProto(encodeValue(value))), { referenceValue: `${root}/${path}` }],
    before: false,
  };
}

/** In backticks where it is no plain word. */
function fieldPath(field: string): string {
  const name = encodeFieldName(field);
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replaceAll(/[\\`]/g, '\\$&')}\``;
}

function splitLast(path: string): [string, string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
