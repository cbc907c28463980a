import { randomUUID } from 'node:crypto';
import { cursorAfter } from '../../ports/page-cursor.ts';
import {
  checkCount,
  checkQuery,
  checkRef,
  checkRefs,
  checkWrites,
  encodeDocument,
  orderFields,
} from '../../ports/store-rules.ts';
import type { CommitResult, DocumentRef, Page, Query, Store, Versioned, Write } from '../../ports/store.ts';
import { translateSqliteError, type SqliteDatabase } from './sqlite-database.ts';
import { declaredArrays, prepareDocuments, type GroupIndex } from './sqlite-documents.ts';
import { countSql, groupOf, pageSql, pathKey } from './sqlite-query.ts';
import { createWatchers } from './sqlite-watchers.ts';

export interface SqliteStore extends Store {
  /** Deletes at most `limit` documents whose `expireAt` is not after `now`; answers how many. @default limit 500 */
  purgeExpired(now: number, limit?: number): Promise<number>;
}

const PURGE_LIMIT = 500;

/**
 * Documents in one table of a SQLite file. A version is random, so that a document made again never has an old one.
 * SQLite answers a commit in the same call, so here no answer of an applied commit can be lost.
 */
export function createSqliteStore(config: { database: SqliteDatabase; indexes?: GroupIndex[] }): SqliteStore {
  const { database } = config;
  prepareDocuments(database, config.indexes ?? []);
  const arrays = declaredArrays(database);

  function read<T extends object>(ref: DocumentRef<T>): Versioned<T> | undefined {
    const row = database
      .prepare('SELECT collection, id, data, version FROM documents WHERE collection = ? AND id = ?')
      .get(ref.collection, ref.id);
    return row === undefined ? undefined : versioned<T>(row);
  }
  const watchers = createWatchers(read);

  function applyAll(writes: Write[], texts: (string | undefined)[]): CommitResult {
    return database.transaction(() => {
      if (!writes.every((write) => holds(database, write))) return { outcome: 'conflict' };
      return { outcome: 'committed', versions: writes.map((write, at) => apply(database, write, texts[at])) };
    });
  }

  const store: SqliteStore = {
    get: (ref) =>
      answer(database, () => {
        checkRef(ref);
        return read(ref);
      }),
    getMany: (refs) =>
      answer(database, () => {
        checkRefs(refs);
        return refs.map((ref) => read(ref));
      }),
    async create(ref, data, options = {}) {
      const { outcome } = await store.commit([{ op: 'create', ref, data, ...options }]);
      return outcome === 'committed' ? 'created' : 'exists';
    },
    commit: (writes) =>
      answer(database, () => {
        checkWrites(writes);
        const texts = writes.map((write) =>
          write.op === 'delete' ? undefined : encodeDocument(write.ref, write.data),
        );
        const result = applyAll(writes, texts);
        if (result.outcome === 'committed') watchers.changed(writes.map(({ ref }) => ref));
        return result;
      }),
    query: (query) => answer(database, () => readPage(database, query, arrays)),
    count: (query) =>
      answer(database, () => {
        checkCount(query);
        const { text, values } = countSql(query, arrays);
        return Number(database.prepare(text).get(...values)?.['documents']);
      }),
    watch(ref, onChange) {
      checkRef(ref);
      return watchers.add(ref, onChange);
    },
    purgeExpired: (now, limit = PURGE_LIMIT) =>
      answer(database, () => {
        const purged = purge(database, now, limit);
        watchers.changed(purged);
        return purged.length;
      }),
    close: () => answer(database, () => watchers.close()),
  };
  return store;
}

/** A promise also for what is refused, and only errors that callers know. */
// oxlint-disable-next-line typescript/require-await
async function answer<T>(database: SqliteDatabase, work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    throw translateSqliteError(database.file, error);
  }
}

function holds(database: SqliteDatabase, write: Write): boolean {
  const { collection, id } = write.ref;
  if (write.op !== 'create' && write.ifVersion === undefined) return true;
  const row = database
    .prepare('SELECT version FROM documents WHERE collection = ? AND id = ?')
    .get(collection, id);
  return write.op === 'create' ? row === undefined : row?.['version'] === write.ifVersion;
}

function apply(database: SqliteDatabase, write: Write, text: string | undefined): string {
  const { collection, id } = write.ref;
  if (write.op === 'delete' || text === undefined) {
    database.prepare('DELETE FROM documents WHERE collection = ? AND id = ?').run(collection, id);
    return '';
  }
  const version = randomUUID();
  database
    .prepare(
      `INSERT INTO documents (collection, collection_group, id, path, data, version, expire_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (collection, id) DO UPDATE SET data = excluded.data, version = excluded.version, expire_at = excluded.expire_at`,
    )
    .run(
      collection,
      groupOf(collection),
      id,
      pathKey(`${collection}/${id}`),
      text,
      version,
      write.expireAt ?? null,
    );
  return version;
}

function readPage<T extends object>(database: SqliteDatabase, query: Query<T>, arrays: Set<string>): Page<T> {
  checkQuery(query);
  const { text, values } = pageSql(query, arrays);
  const rows = database.prepare(text).all(...values);
  const documents = rows.slice(0, query.limit).map((row) => versioned<T>(row));
  const last = documents.at(-1);
  if (rows.length <= query.limit || last === undefined) return { documents };
  return { documents, cursor: cursorAfter(last, orderFields(query)) };
}

function purge(database: SqliteDatabase, now: number, limit: number): DocumentRef<object>[] {
  const rows = database
    .prepare(
      'DELETE FROM documents WHERE number IN (SELECT number FROM documents WHERE expire_at <= ? LIMIT ?) RETURNING collection, id',
    )
    .all(now, limit);
  return rows.map((row) => ({ collection: String(row['collection']), id: String(row['id']) }));
}

function versioned<T extends object>(row: Record<string, unknown>): Versioned<T> {
  return {
    ref: { collection: String(row['collection']), id: String(row['id']) },
    data: JSON.parse(String(row['data'])) as T,
    version: String(row['version']),
  };
}
