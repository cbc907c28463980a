import { decodeCursor } from '../../ports/page-cursor.ts';
import { orderFields } from '../../ports/store-rules.ts';
import type { CountQuery, Query, Where } from '../../ports/store.ts';
import { containsSql, fieldSql, isPlainName, kindOf, valueSql, type Sql } from './sqlite-fields.ts';

const PATH: Sql = { text: 'path', values: [] };

/** Sorts like Firestore, segment by segment: no id has a character below a space. */
export function pathKey(path: string): string {
  return path.replaceAll('/', '\u0001');
}

export function groupOf(collection: string): string {
  return collection.slice(collection.lastIndexOf('/') + 1);
}

/** `arrays`: the declared ones, as `group field`. */
export function countSql(query: CountQuery, arrays: Set<string>): Sql {
  const conditions = conditionsSql(query, arrays);
  return {
    text: `SELECT count(*) AS documents FROM documents WHERE ${conditions.text}`,
    values: conditions.values,
  };
}

/** One document more than the limit tells whether there is another page. */
export function pageSql<T extends object>(query: Query<T>, arrays: Set<string>): Sql {
  const fields = orderFields(query);
  const isDescending = query.orderBy?.direction === 'desc';
  const kinds = fields.map((field) => fieldSql(field).kind);
  const columns = [...fields.flatMap((field) => [fieldSql(field).kind, fieldSql(field).value]), PATH];
  const conditions = [
    conditionsSql(query, arrays),
    ...kinds.map(({ text, values }) => ({ text: `${text} IS NOT NULL`, values })),
  ];
  if (query.cursor !== undefined) {
    const { path, values } = decodeCursor(query.cursor, fields.length);
    const position = list([
      ...values.flatMap((value) => [{ text: '?', values: [kindOf(value)] }, valueSql(value)]),
      { text: '?', values: [pathKey(path)] },
    ]);
    const here = list(columns);
    conditions.push({
      text: `(${here.text}) ${isDescending ? '<' : '>'} (${position.text})`,
      values: [...here.values, ...position.values],
    });
  }
  const where = join(conditions, ' AND ');
  const sorted = list(
    columns.map(({ text, values }) => ({ text: `${text} ${isDescending ? 'DESC' : 'ASC'}`, values })),
  );
  return {
    text: `SELECT collection, id, data, version FROM documents WHERE ${where.text} ORDER BY ${sorted.text} LIMIT ?`,
    values: [...where.values, ...sorted.values, query.limit + 1],
  };
}

function conditionsSql({ from, where = [] }: CountQuery, arrays: Set<string>): Sql {
  const group = 'group' in from ? from.group : groupOf(from.collection);
  // A literal, because SQLite uses a partial index only when it sees the value.
  const inGroup: Sql = isPlainName(group)
    ? { text: `collection_group = '${group}'`, values: [] }
    : { text: 'collection_group = ?', values: [group] };
  const scope: Sql =
    'group' in from
      ? { text: 'collection_group = ?', values: [from.group] }
      : { text: 'collection = ?', values: [from.collection] };
  const filters = where.map((filter) => {
    const isFiled = filter.op === 'array-contains' && arrays.has(`${group} ${filter.field}`);
    return isFiled ? filedSql(filter, scope) : filterSql(filter);
  });
  return join('group' in from ? [inGroup, ...filters] : [inGroup, scope, ...filters], ' AND ');
}

function filedSql(filter: Extract<Where, { op: 'array-contains' }>, scope: Sql): Sql {
  const wanted = valueSql(filter.value);
  return {
    text: `number IN (SELECT document FROM array_items WHERE ${scope.text} AND field = ? AND kind = ? AND item = ${wanted.text})`,
    values: [...scope.values, filter.field, kindOf(filter.value), ...wanted.values],
  };
}

function filterSql(filter: Where): Sql {
  if (filter.op === 'array-contains') return containsSql(filter.field, filter.value);
  if (filter.op === 'in') {
    const each = filter.value.map((value) => filterSql({ field: filter.field, op: '==', value }));
    return { text: `(${join(each, ' OR ').text})`, values: each.flatMap(({ values }) => values) };
  }
  const { kind, value } = fieldSql(filter.field);
  const wanted = valueSql(filter.value);
  return {
    text: `(${kind.text} = ? AND ${value.text} ${filter.op} ${wanted.text})`,
    values: [...kind.values, kindOf(filter.value), ...value.values, ...wanted.values],
  };
}

function list(parts: Sql[]): Sql {
  return join(parts, ', ');
}

function join(parts: Sql[], separator: string): Sql {
  return {
    text: parts.map(({ text }) => text).join(separator),
    values: parts.flatMap(({ values }) => values),
  };
}
