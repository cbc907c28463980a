import { PenstockError } from '../../ports/penstock-error.ts';
import { fieldSql, isPlainName, kindSql } from './sqlite-fields.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** What queries over one group filter on. Queries are right without any declaration, and fast with it. */
export interface GroupIndex {
  group: string;
  /** Scalar fields of filters and `orderBy`. */
  fields?: string[];
  /** Array fields of `array-contains`. */
  arrays?: string[];
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS documents (
  number INTEGER PRIMARY KEY,
  collection TEXT NOT NULL,
  collection_group TEXT NOT NULL,
  id TEXT NOT NULL,
  path TEXT NOT NULL,
  data TEXT NOT NULL,
  version TEXT NOT NULL,
  expire_at INTEGER,
  UNIQUE (collection, id)
);
CREATE INDEX IF NOT EXISTS documents_by_group ON documents (collection_group, path);
CREATE INDEX IF NOT EXISTS documents_by_expiry ON documents (expire_at) WHERE expire_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS array_fields (
  collection_group TEXT NOT NULL,
  field TEXT NOT NULL,
  PRIMARY KEY (collection_group, field)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS array_items (
  collection TEXT NOT NULL,
  field TEXT NOT NULL,
  kind INTEGER NOT NULL,
  item NOT NULL,
  document INTEGER NOT NULL,
  collection_group TEXT NOT NULL,
  PRIMARY KEY (collection, field, kind, item, document)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS array_items_by_group ON array_items (collection_group, field, kind, item);
CREATE INDEX IF NOT EXISTS array_items_by_document ON array_items (document);
CREATE TRIGGER IF NOT EXISTS array_items_of_new AFTER INSERT ON documents BEGIN
  ${insertItems('NEW')} AND declared.collection_group = NEW.collection_group;
END;
CREATE TRIGGER IF NOT EXISTS array_items_of_changed AFTER UPDATE OF data ON documents BEGIN
  DELETE FROM array_items WHERE document = OLD.number;
  ${insertItems('NEW')} AND declared.collection_group = NEW.collection_group;
END;
CREATE TRIGGER IF NOT EXISTS array_items_of_deleted AFTER DELETE ON documents BEGIN
  DELETE FROM array_items WHERE document = OLD.number;
END;
`;

/** Makes tables and indexes. Declared arrays stay declared, so that every process keeps the side table right. */
export function prepareDocuments(database: SqliteDatabase, indexes: GroupIndex[]): void {
  database.exec(SCHEMA);
  database.transaction(() => {
    for (const { group, fields = [], arrays = [] } of indexes) {
      [group, ...fields, ...arrays].forEach(checkName);
      for (const field of fields) createFieldIndex(database, group, field);
      for (const field of arrays) declareArray(database, group, field);
    }
  });
}

/** Array fields that the side table knows, as `group field`. */
export function declaredArrays(database: SqliteDatabase): Set<string> {
  const rows = database.prepare('SELECT collection_group, field FROM array_fields').all();
  return new Set(rows.map((row) => `${String(row['collection_group'])} ${String(row['field'])}`));
}

function createFieldIndex(database: SqliteDatabase, group: string, field: string): void {
  const { kind, value } = fieldSql(field);
  database.exec(
    `CREATE INDEX IF NOT EXISTS "documents ${group} ${field}" ON documents (${kind.text}, ${value.text}, collection, path) WHERE collection_group = '${group}'`,
  );
}

function declareArray(database: SqliteDatabase, group: string, field: string): void {
  const added = database.prepare('INSERT OR IGNORE INTO array_fields VALUES (?, ?)').run(group, field);
  if (Number(added.changes) === 0) return;
  database
    .prepare(
      `${insertItems('stored', 'documents AS stored,')} AND declared.collection_group = stored.collection_group AND declared.collection_group = ? AND declared.field = ?`,
    )
    .run(group, field);
}

/** SQL that files the items of one document's declared arrays, up to the condition on the group. */
function insertItems(document: string, from = ''): string {
  return `INSERT OR IGNORE INTO array_items (collection, field, kind, item, document, collection_group)
    SELECT ${document}.collection, declared.field, ${kindSql('item.type')}, ifnull(item.value, 0), ${document}.number, ${document}.collection_group
    FROM ${from} array_fields AS declared, json_each(${document}.data) AS field, json_each(CASE field.type WHEN 'array' THEN field.value ELSE '[]' END) AS item
    WHERE field.key = declared.field AND item.type NOT IN ('array', 'object')`;
}

function checkName(name: string): void {
  if (isPlainName(name)) return;
  throw new PenstockError(
    'config',
    `index on ${JSON.stringify(name)}: names of indexed groups and fields are [A-Za-z0-9_]`,
  );
}
