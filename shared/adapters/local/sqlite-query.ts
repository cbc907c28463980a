import { decodeCursor } from '../../ports/page-cursor.ts';
import { orderFields } from '../../ports/store-rules.ts';
import type { CountQuery, Query, SumQuery, Where } from '../../ports/store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import type { ArrayLayout, GroupLayout } from './sqlite-documents.ts';
import { itemKeys, kindBounds, sortKey } from './sqlite-sort-key.ts';

/** Where a query looks: a layout, and the number of one collection or, absent, the whole group. */
export interface Scope {
  layout: GroupLayout;
  collection?: number;
}

type Filters = Pick<CountQuery, 'where'>;

/** Sorts like Firestore, segment by segment: no id has a character below a space. */
export function pathKey(path: string): string {
  return path.replaceAll('/', '\u0001');
}

export function pathOf(key: string): string {
  return key.replaceAll('\u0001', '/');
}

export function groupOf(collection: string): string {
  return collection.slice(collection.lastIndexOf('/') + 1);
}

/** What SQL asks of fields that have no column. */
export function defineFieldFunctions(database: SqliteDatabase): void {
  // One document is asked for several fields in a row.
  let last = '{}';
  let fields: Record<string, unknown> = {};
  const read = (data = '', field = ''): unknown => {
    if (data !== last) fields = JSON.parse(data) as Record<string, unknown>;
    last = data;
    return Object.hasOwn(fields, field) ? fields[field] : undefined;
  };
  database.define('field_key', (data, field) => sortKey(read(data, field)));
  database.define('field_has', (data, field, item = '') =>
    Number(itemKeys(read(data, field)).includes(item)),
  );
}

/**
 * How to ask: the statement, and where its values come from. Made once for each shape of query. A limit is part of the shape:
 * SQLite plans a statement anew each time when it is a parameter.
 */
export interface Plan {
  text: string;
  values: Parameter[];
}
type Parameter = (scope: Scope, query: Asked) => string | number | null;
/** Whatever any of the queries says. */
interface Asked extends Filters {
  field?: string;
}

/** Shapes that a layout remembers; forgotten at once when there are more. */
const MAX_PLANS = 500;

export function planCount(scope: Scope, query: CountQuery): Plan {
  return remembered(scope, `count ${query.upTo ?? 'all'} ${shapeOf(scope, query)}`, () => {
    const { text, values } = found(scope, query);
    if (query.upTo === undefined) return { text: `SELECT count(*) FROM ${text}`, values };
    return { text: `SELECT count(*) FROM (SELECT 1 FROM ${text} LIMIT ${query.upTo})`, values };
  });
}

export function planSum(scope: Scope, query: SumQuery): Plan {
  return remembered(scope, `sum ${shapeOf(scope, query)}`, () => {
    const among = join([inScope(scope, query), ...filters(scope, query)], ' AND ');
    const number = `(SELECT value FROM json_each(data) WHERE key = ? AND type IN ('integer', 'real'))`;
    return {
      text: `SELECT total(${number}) FROM documents WHERE ${among.text}`,
      values: [(_, { field = '' }) => field, ...among.values],
    };
  });
}

/** One document more than the limit tells whether there is another page. */
export function planPage<T extends object>(scope: Scope, query: Query<T>): Plan {
  const { orderBy, cursor } = query;
  if (cursor !== undefined) return page(scope, query);
  const sort = orderBy === undefined ? '' : `${orderBy.direction} ${nameShape(orderBy.field)}`;
  return remembered(scope, `page ${query.limit} ${sort} ${shapeOf(scope, query)}`, () => page(scope, query));
}

function page<T extends object>(scope: Scope, query: Query<T>): Plan {
  const fields = orderFields(query);
  const isDescending = query.orderBy?.direction === 'desc';
  const keys = fields.map((field) => keyOf(scope.layout, field));
  // Within one collection ids sort like paths.
  const columns = [...keys, plain(scope.collection === undefined ? 'path' : 'id')];
  const conditions = [
    inScope(scope, query, fields[0]),
    ...filters(scope, query),
    ...keys.map(({ text, values }) => ({ text: `${text} IS NOT NULL`, values })),
  ];
  if (query.cursor !== undefined) {
    const { path, values } = decodeCursor(query.cursor, fields.length);
    const here = list(columns);
    const last = scope.collection === undefined ? pathKey(path) : path.slice(path.lastIndexOf('/') + 1);
    const position = [...values.map(sortKey), last];
    conditions.push({
      text: `(${here.text}) ${isDescending ? '<' : '>'} (${position.map(() => '?').join(', ')})`,
      values: [...here.values, ...position.map((value) => () => value)],
    });
  }
  const where = join(conditions, ' AND ');
  const sorted = list(
    columns.map(({ text, values }) => ({ text: `${text} ${isDescending ? 'DESC' : 'ASC'}`, values })),
  );
  return {
    text: `SELECT path, data, version FROM documents WHERE ${where.text} ORDER BY ${sorted.text} LIMIT ${query.limit + 1}`,
    values: [...where.values, ...sorted.values],
  };
}

export function valuesOf({ values }: Plan, scope: Scope, query: Asked): (string | number | null)[] {
  return values.map((value) => value(scope, query));
}

function remembered({ layout: { plans } }: Scope, shape: string, make: () => Plan): Plan {
  const known = plans.get(shape);
  if (known !== undefined) return known;
  if (plans.size >= MAX_PLANS) plans.clear();
  const made = make();
  plans.set(shape, made);
  return made;
}

/** Everything but the values, and of those which column they are in. */
function shapeOf({ layout, collection }: Scope, { where = [] }: Filters): string {
  let shape = collection === undefined ? 'group' : 'collection';
  for (const filter of where) {
    shape += ` ${nameShape(filter.field)} ${filter.op} ${columnOf(layout, filter)} `;
    if (filter.op === 'in') shape += filter.value.length;
  }
  return shape;
}

/** No name can look like two. */
function nameShape(name: string): string {
  return `${name.length} ${name}`;
}

/** Table and conditions; the rows of an array's own table where that holds all that is asked for. */
function found(scope: Scope, query: CountQuery): Plan {
  const { layout } = scope;
  const { where = [] } = query;
  const contains = where.find((filter) => filter.op === 'array-contains');
  const array = contains === undefined ? undefined : arrayOf(layout, contains.field);
  const isBeside = (filter: Where) => array?.beside.includes(columnOf(layout, filter)) === true;
  if (array === undefined || !where.every((filter) => filter === contains || isBeside(filter))) {
    const among = join([inScope(scope, query), ...filters(scope, query)], ' AND ');
    return { text: `documents WHERE ${among.text}`, values: among.values };
  }
  const among = where.map((filter, at) =>
    filter.op === 'array-contains' ? hasItem(scope, at) : compares(layout, filter, at),
  );
  const { text, values } = join(among, ' AND ');
  return { text: `${array.table} WHERE ${text}`, values };
}

/**
 * The group stands there as a literal, because SQLite uses a partial index only when it sees the value. Where no index over
 * the whole group fits, its collections are looked up, so that no other group's documents are read.
 */
function inScope({ layout, collection }: Scope, { where = [] }: Filters, sortedBy?: string): Plan {
  const inGroup = `collection_group = ${layout.number}`;
  if (collection !== undefined) return { text: `${inGroup} AND collection = ?`, values: [collectionOf] };
  const asked = where.map((filter) => columnOf(layout, filter));
  if (sortedBy !== undefined) asked.push(fullColumn(layout, sortedBy));
  if (asked.some((column) => layout.leading.has(column))) return plain(inGroup);
  return plain(
    `${inGroup} AND collection IN (SELECT number FROM document_collections WHERE collection_group = ${layout.number})`,
  );
}

function collectionOf({ collection = 0 }: Scope): number {
  return collection;
}

/** Those on columns first: the others call back for each document. */
function filters(scope: Scope, { where = [] }: Filters): Plan[] {
  const { layout } = scope;
  const all = where.map((filter, at) => ({
    isFiled: filter.op === 'array-contains' || columnOf(layout, filter) !== NO_COLUMN,
    plan: filter.op === 'array-contains' ? holdsItem(scope, filter.field, at) : compares(layout, filter, at),
  }));
  return [...all.filter(({ isFiled }) => isFiled), ...all.filter(({ isFiled }) => !isFiled)].map(
    ({ plan }) => plan,
  );
}

function holdsItem(scope: Scope, field: string, at: number): Plan {
  const array = arrayOf(scope.layout, field);
  if (array === undefined) return { text: 'field_has(data, ?, ?)', values: [() => field, wantedAt(at)] };
  const { text, values } = hasItem(scope, at);
  return { text: `number IN (SELECT document FROM ${array.table} WHERE ${text})`, values };
}

/** Of the rows of an array's own table. */
function hasItem({ collection }: Scope, at: number): Plan {
  return collection === undefined
    ? { text: 'item = ?', values: [wantedAt(at)] }
    : { text: 'collection = ? AND item = ?', values: [collectionOf, wantedAt(at)] };
}

function compares(layout: GroupLayout, filter: Where, at: number): Plan {
  const { text, values } = keyIn(columnOf(layout, filter), filter.field);
  if (filter.op === 'in') {
    const wanted = filter.value.map((_, n) => wantedAt(at, n));
    return { text: `${text} IN (${wanted.map(() => '?').join(', ')})`, values: [...values, ...wanted] };
  }
  if (filter.op === '==') return { text: `${text} = ?`, values: [...values, wantedAt(at)] };
  const isBelow = filter.op.startsWith('<');
  const bound: Parameter = (scope, query) => kindBounds(wantedAt(at)(scope, query))[isBelow ? 0 : 1];
  return {
    text: `${text} ${filter.op} ? AND ${text} ${isBelow ? '>=' : '<'} ?`,
    values: [...values, wantedAt(at), ...values, bound],
  };
}

/** The key of what the filter at this place asks for. */
function wantedAt(at: number, n = 0): (scope: Scope, query: Asked) => string {
  return (_, { where = [] }) => {
    const value = where[at]?.value;
    return sortKey(Array.isArray(value) ? value[n] : value) ?? '';
  };
}

function keyOf(layout: GroupLayout, field: string): Plan {
  return keyIn(fullColumn(layout, field), field);
}

function keyIn(column: number, field: string): Plan {
  return column === NO_COLUMN
    ? { text: 'field_key(data, ?)', values: [() => field] }
    : plain(`key_${column}`);
}

const NO_COLUMN = -1;

/** Where a filter finds its values: in the column of just some values, if those are the ones, because fewer documents are in it. */
function columnOf(layout: GroupLayout, filter: Where): number {
  if (filter.op !== '==' && filter.op !== 'in') return fullColumn(layout, filter.field);
  const wanted = filter.op === 'in' ? filter.value : [filter.value];
  const column = layout.keys.findIndex(
    ({ field, only }) =>
      field === filter.field && only !== undefined && wanted.every((value) => only.has(sortKey(value) ?? '')),
  );
  return column === NO_COLUMN ? fullColumn(layout, filter.field) : column;
}

function fullColumn({ keys }: GroupLayout, name: string): number {
  return keys.findIndex(({ field, isArray, only }) => field === name && !isArray && only === undefined);
}

function arrayOf({ arrays }: GroupLayout, field: string): ArrayLayout | undefined {
  return arrays.find((array) => array.field === field);
}

function plain(text: string): Plan {
  return { text, values: [] };
}

function list(parts: Plan[]): Plan {
  return join(parts, ', ');
}

function join(parts: Plan[], separator: string): Plan {
  return {
    text: parts.map(({ text }) => text).join(separator),
    values: parts.flatMap(({ values }) => values),
  };
}
