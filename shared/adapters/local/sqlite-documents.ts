import { createHash } from 'node:crypto';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Scalar } from '../../ports/store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import type { Plan } from './sqlite-query.ts';
import { createItemsTable, insertItems } from './sqlite-items.ts';
import { itemKeys, sortKey } from './sqlite-sort-key.ts';

/**
 * What some queries over one group filter on and sort by, in this order: first what is equal (`==`, `in`), then the range or
 * the sort, as in Firestore's composite indexes. Queries are right without any index, and fast with theirs.
 */
export interface GroupIndex {
  group: string;
  /** Queries over one collection, or over all of the group. */
  scope: 'collection' | 'group';
  /** Field of `array-contains`; it comes first. */
  array?: string;
  /** Scalar fields. */
  fields: string[];
  /**
   * By field: documents with any other value are not filed, so the index serves only queries that ask for these (`==`, `in`).
   * Those few that are under way then cost the others nothing. @default all values
   */
  only?: Record<string, Scalar[]>;
}

/** How the documents of one group are filed: the column `key_<n>` of `documents` holds what `keys[n]` says. */
export interface GroupLayout {
  number: number;
  keys: KeyLayout[];
  arrays: ArrayLayout[];
  /** First columns of the indexes over the whole group. */
  leading: Set<number>;
  /** Queries and statements that are made already, by their shape. */
  plans: Map<string, Plan>;
  statements: Map<string, string>;
}

/** What a column holds: the key of a scalar field, of some of its values, or the keys of an array's values. */
interface KeyLayout {
  field: string;
  isArray: boolean;
  only?: ReadonlySet<string>;
}

/** An array field: its values are rows of a table of their own, beside the keys that they are counted with. */
export interface ArrayLayout {
  field: string;
  /** Its column in `documents` holds the values' keys as JSON, so that a change of them is seen. */
  at: number;
  table: string;
  /** Columns that stand in both tables. */
  beside: number[];
}

/** Columns for sort keys; what they mean is each group's own. */
const MAX_COLUMNS = 16;

/** The content comes last, so that no column behind it has to be looked for in overflow pages. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS document_groups (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS document_collections (
  number INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  collection_group INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS document_collections_by_group ON document_collections (collection_group);
CREATE TABLE IF NOT EXISTS document_indexes (number INTEGER PRIMARY KEY, declaration TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS documents (
  number INTEGER PRIMARY KEY,
  collection INTEGER NOT NULL,
  collection_group INTEGER NOT NULL,
  id TEXT NOT NULL,
  path TEXT NOT NULL,
  version TEXT NOT NULL,
  expire_at INTEGER,
  ${Array.from({ length: MAX_COLUMNS }, (_, n) => `key_${n} TEXT,`).join(' ')}
  data TEXT NOT NULL,
  UNIQUE (collection, id)
);
CREATE INDEX IF NOT EXISTS documents_by_expiry ON documents (expire_at) WHERE expire_at IS NOT NULL;
`;

/** Makes tables and indexes. What was once declared stays declared, so that every process keeps it right. */
export function prepareDocuments(database: SqliteDatabase, indexes: GroupIndex[]): void {
  for (const { group, array, fields } of indexes) {
    [group, ...fields, ...(array === undefined ? [] : [array])].forEach(checkName);
  }
  database.exec(SCHEMA);
  database.transaction(() => {
    const declare = database.prepare('INSERT OR IGNORE INTO document_indexes (declaration) VALUES (?)');
    const added = indexes.filter((index) => Number(declare.run(declarationOf(index)).changes) > 0);
    if (added.length === 0) return;
    database.tally.names += added.length;
    const layouts = readLayouts(database);
    for (const [group, { keys }] of layouts) {
      if (keys.length > MAX_COLUMNS)
        throw new PenstockError(
          'config',
          `the indexes of ${group} name more than ${MAX_COLUMNS} fields; drop some`,
        );
    }
    for (const group of new Set(added.map((index) => index.group))) {
      const layout = layouts.get(group);
      if (layout !== undefined) fileGroup(database, layout);
    }
    for (const index of declarations(database)) createIndex(database, index, layouts.get(index.group));
  });
}

/** By group name; undeclared groups have none. Columns are given out in the order of the declarations, so they stay what they are. */
export function readLayouts(database: SqliteDatabase): Map<string, GroupLayout> {
  const byGroup = new Map<string, GroupLayout>();
  for (const index of declarations(database)) {
    const layout = byGroup.get(index.group) ?? emptyLayout(groupNumber(database, index.group));
    byGroup.set(index.group, layout);
    addIndex(layout, index);
  }
  return byGroup;
}

function declarations(database: SqliteDatabase): GroupIndex[] {
  const rows = database.prepare('SELECT declaration FROM document_indexes ORDER BY number').all();
  return (rows as unknown as [string][]).map(([declaration]) => JSON.parse(declaration) as GroupIndex);
}

function addIndex(layout: GroupLayout, { scope, array, fields, only = {} }: GroupIndex): void {
  const columns = fields.map((field) => addColumn(layout, field, only[field]));
  if (array !== undefined) addArray(layout, array, columns);
  else if (scope === 'group') layout.leading.add(columns[0] ?? -1);
}

function addColumn(layout: GroupLayout, field: string, values: Scalar[] | undefined): number {
  const known = findColumn(layout, field, values);
  if (known !== -1) return known;
  const only = values === undefined ? {} : { only: new Set(values.map((value) => sortKey(value) ?? '')) };
  return layout.keys.push({ field, isArray: false, ...only }) - 1;
}

/** With exactly these values, or with all. */
function findColumn({ keys }: GroupLayout, field: string, values: Scalar[] | undefined): number {
  return keys.findIndex((key) => {
    if (key.field !== field || key.isArray || (key.only?.size ?? 0) !== (values?.length ?? 0)) return false;
    return (values ?? []).every((value) => key.only?.has(sortKey(value) ?? ''));
  });
}

function addArray(layout: GroupLayout, field: string, columns: number[]): void {
  let filed = layout.arrays.find((array) => array.field === field);
  if (filed === undefined) {
    const at = layout.keys.push({ field, isArray: true }) - 1;
    filed = { field, at, table: `items_${layout.number}_${at}`, beside: [] };
    layout.arrays.push(filed);
  }
  filed.beside = [...new Set([...filed.beside, ...columns])];
}

/** The number of a group, given on first use. */
export function groupNumber(database: SqliteDatabase, name: string): number {
  const found = database.prepare('SELECT number FROM document_groups WHERE name = ?').get(name);
  if (found !== undefined) return (found as unknown as [number])[0];
  database.tally.names += 1;
  return Number(database.prepare('INSERT INTO document_groups (name) VALUES (?)').run(name).lastInsertRowid);
}

export function emptyLayout(number: number): GroupLayout {
  return {
    number,
    keys: [],
    arrays: [],
    leading: new Set(),
    plans: new Map(),
    statements: new Map(),
  };
}

export function columnNames({ keys }: GroupLayout): string[] {
  return keys.map((_, at) => `key_${at}`);
}

/** What stands in the columns for a document of that content. */
export function keysOf(layout: GroupLayout, data: object): (string | null)[] {
  const fields = data as Record<string, unknown>;
  return layout.keys.map(({ field, isArray, only }) => {
    const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!isArray) {
      const key = sortKey(value);
      return key === null || only?.has(key) === false ? null : key;
    }
    const items = itemKeys(value);
    return items.length === 0 ? null : JSON.stringify(items);
  });
}

/** Files every document of a group as its layout now says. */
function fileGroup(database: SqliteDatabase, layout: GroupLayout): void {
  const names = columnNames(layout);
  for (const array of layout.arrays) createItemsTable(database, array);
  const next = database.prepare(
    'SELECT number, collection, data FROM documents WHERE collection_group = ? AND number > ? ORDER BY number LIMIT 100',
  );
  const set = names.map((name) => `${name} = ?`).join(', ');
  const update = database.prepare(`UPDATE documents SET ${set} WHERE number = ?`);
  let last = 0;
  for (;;) {
    const rows = next.all(layout.number, last) as unknown as [number, number, string][];
    if (rows.length === 0) return;
    for (const [number, collection, data] of rows) {
      const keys = keysOf(layout, JSON.parse(data) as object);
      update.run(...keys, number);
      database.tally.documents += 1;
      insertItems(database, layout, { number, collection, keys });
      last = number;
    }
  }
}

function createIndex(database: SqliteDatabase, index: GroupIndex, layout: GroupLayout | undefined): void {
  if (layout === undefined) return;
  const { scope, array, fields, only = {} } = index;
  const columns = fields.map((field) => `key_${findColumn(layout, field, only[field])}`);
  const filed = layout.arrays.find(({ field }) => field === array);
  // A document without the value is not looked for here.
  const some = columns.filter((_, at) => only[fields[at] ?? ''] !== undefined);
  const asked = some.length > 0 || filed !== undefined ? some : columns.slice(0, 1);
  const where = asked.map((column) => `${column} IS NOT NULL`);
  const scoped = scope === 'collection' ? ['collection'] : [];
  const tie = scope === 'collection' ? 'id' : 'path';
  const [on, conditions] =
    filed === undefined
      ? [
          `documents (${[...scoped, ...columns, tie].join(', ')})`,
          [`collection_group = ${layout.number}`, ...where],
        ]
      : [`${filed.table} (${[...scoped, 'item', ...columns].join(', ')})`, where];
  database.exec(
    `CREATE INDEX IF NOT EXISTS "${nameOf(index)}" ON ${on} ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}`,
  );
}

/** Names are plain, and values of `only` may be anything. */
function nameOf({ group, scope, array, fields, only }: GroupIndex): string {
  const some =
    only === undefined
      ? []
      : [`of ${createHash('sha256').update(JSON.stringify(only)).digest('hex').slice(0, 8)}`];
  return [group, scope, ...(array === undefined ? [] : [`${array}[]`]), ...fields, ...some].join(' ');
}

function declarationOf({ group, scope, array, fields, only }: GroupIndex): string {
  return JSON.stringify({ group, scope, array, fields, only });
}

/** Names stand in the text of statements. */
function checkName(name: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) return;
  throw new PenstockError(
    'config',
    `index on ${JSON.stringify(name)}: names of indexed groups and fields are [A-Za-z0-9_]`,
  );
}
