import type { SqliteDatabase } from './sqlite-database.ts';
import type { ArrayLayout, GroupLayout } from './sqlite-documents.ts';

export interface FiledDocument {
  number: number;
  collection: number;
  /** As in the columns of the layout. */
  keys: (string | null)[];
}

export function createItemsTable(database: SqliteDatabase, { table, beside }: ArrayLayout): void {
  const keys = beside.map((column) => `key_${column} TEXT, `).join('');
  database.exec(
    `DROP TABLE IF EXISTS ${table};
     CREATE TABLE ${table} (document INTEGER NOT NULL, item TEXT NOT NULL, collection INTEGER NOT NULL, ${keys}PRIMARY KEY (document, item)) WITHOUT ROWID`,
  );
}

/** Files the values of a new document's arrays. */
export function insertItems(database: SqliteDatabase, layout: GroupLayout, document: FiledDocument): void {
  for (const array of layout.arrays) insertArray(database, array, document);
}

/** Files anew where the array changed; otherwise only what its values are counted with. */
export function changeItems(
  database: SqliteDatabase,
  layout: GroupLayout,
  document: FiledDocument & { before: (string | null)[] },
): void {
  const { number, keys, before } = document;
  for (const array of layout.arrays) {
    const { at, beside, table } = array;
    if (keys[at] !== before[at]) {
      removeItems(database, array, number);
      insertArray(database, array, document);
      continue;
    }
    const changed = beside.filter((column) => keys[column] !== before[column]);
    if (keys[at] === null || changed.length === 0) continue;
    const set = changed.map((column) => `key_${column} = ?`).join(', ');
    const values = changed.map((column) => keys[column] ?? null);
    const updated = database.prepare(`UPDATE ${table} SET ${set} WHERE document = ?`).run(...values, number);
    database.tally.items += Number(updated.changes);
  }
}

export function removeItems(database: SqliteDatabase, { table }: ArrayLayout, number: number): void {
  const removed = database.prepare(`DELETE FROM ${table} WHERE document = ?`).run(number);
  database.tally.items += Number(removed.changes);
}

function insertArray(database: SqliteDatabase, array: ArrayLayout, document: FiledDocument): void {
  const { number, collection, keys } = document;
  const items = keys[array.at];
  if (typeof items !== 'string') return;
  const names = ['document', 'item', 'collection', ...array.beside.map((column) => `key_${column}`)];
  const insert = database.prepare(
    `INSERT INTO ${array.table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  );
  const beside = array.beside.map((column) => keys[column] ?? null);
  for (const item of JSON.parse(items) as string[]) {
    insert.run(number, item, collection, ...beside);
    database.tally.items += 1;
  }
}
