import { cursorAfter } from '../../ports/page-cursor.ts';
import {
  checkCount,
  checkQuery,
  checkRef,
  checkRefs,
  checkSum,
  checkWrites,
  orderFields,
} from '../../ports/store-rules.ts';
import type {
  CommitResult,
  CountQuery,
  DocumentRef,
  Page,
  Query,
  Store,
  Versioned,
  Write,
} from '../../ports/store.ts';
import { translateSqliteError, type SqliteDatabase } from './sqlite-database.ts';
import { prepareDocuments, type GroupIndex } from './sqlite-documents.ts';
import { createPlaces } from './sqlite-places.ts';
import {
  defineFieldFunctions,
  pathOf,
  planCount,
  planPage,
  planSum,
  valuesOf,
  type Scope,
} from './sqlite-query.ts';
import { createWatchers } from './sqlite-watchers.ts';
import { createWriter } from './sqlite-writes.ts';

export interface SqliteStore extends Store {
  /** Deletes at most `limit` documents whose `expireAt` is not after `now`; answers how many. @default limit 500 */
  purgeExpired(now: number, limit?: number): Promise<number>;
}

const PURGE_LIMIT = 500;

/**
 * Documents in one table of a SQLite file. Reads see what is committed; writes of one turn of the event loop are committed
 * together, each for itself or not at all. Whoever is told of a commit is told by the process that made it, so here no answer
 * of an applied commit can be lost.
 */
export function createSqliteStore(config: { database: SqliteDatabase; indexes?: GroupIndex[] }): SqliteStore {
  const { database } = config;
  prepareDocuments(database, config.indexes ?? []);
  defineFieldFunctions(database);
  const places = createPlaces(database);
  const writer = createWriter(database, places);

  function read<T extends object>(ref: DocumentRef<T>): Versioned<T> | undefined {
    const row = database
      .prepare('SELECT data, version FROM documents WHERE collection = ? AND id = ?')
      .get(places.find(ref.collection).collection, ref.id) as unknown as [string, string] | undefined;
    if (row === undefined) return undefined;
    const { collection, id } = ref;
    return { ref: { collection, id }, data: JSON.parse(row[0]) as T, version: row[1] };
  }
  const watchers = createWatchers(read);

  function scopeOf(from: CountQuery['from']): Scope {
    return 'group' in from ? { layout: places.group(from.group) } : places.find(from.collection);
  }

  function numberOf(text: string, values: (string | number | null)[]): number {
    return (database.prepare(text).get(...values) as unknown as [number])[0];
  }

  function readPage<T extends object>(query: Query<T>): Page<T> {
    checkQuery(query);
    const scope = scopeOf(query.from);
    const plan = planPage(scope, query);
    const values = valuesOf(plan, scope, query);
    const rows = database.prepare(plan.text).all(...values) as unknown as [string, string, string][];
    const documents = rows.slice(0, query.limit).map((row) => versioned<T>(row));
    const last = documents.at(-1);
    if (rows.length <= query.limit || last === undefined) return { documents };
    return { documents, cursor: cursorAfter(last, orderFields(query)) };
  }

  async function commit(writes: Write[]): Promise<CommitResult> {
    checkWrites(writes);
    const encoded = writes.map((write) => writer.encode(write));
    const result = await database.write(() => writer.apply(encoded));
    if (result.outcome === 'committed') watchers.changed(encoded);
    return result;
  }

  return {
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
      const { outcome } = await commit([{ op: 'create', ref, data, ...options }]);
      return outcome === 'committed' ? 'created' : 'exists';
    },
    commit,
    query: (query) => answer(database, () => readPage(query)),
    count: (query) =>
      answer(database, () => {
        checkCount(query);
        const scope = scopeOf(query.from);
        const plan = planCount(scope, query);
        return numberOf(plan.text, valuesOf(plan, scope, query));
      }),
    sum: (query) =>
      answer(database, () => {
        checkSum(query);
        const scope = scopeOf(query.from);
        const plan = planSum(scope, query);
        return numberOf(plan.text, valuesOf(plan, scope, query));
      }),
    watch(ref, onChange) {
      checkRef(ref);
      return watchers.add(ref, onChange);
    },
    async purgeExpired(now, limit = PURGE_LIMIT) {
      const expired = database.prepare(`SELECT path FROM documents WHERE expire_at <= ? LIMIT ${limit}`);
      const removed = await database.write(() => {
        const refs = (expired.all(now) as unknown as [string][]).map(([key]) => refOf(key));
        writer.apply(refs.map((ref) => ({ op: 'delete', ...ref })));
        return refs;
      });
      watchers.changed(removed);
      return removed.length;
    },
    close: () =>
      answer(database, () => {
        database.flush();
        watchers.close();
      }),
  };
}

/** A promise also for what is refused, and only errors that callers know. */
// oxlint-disable-next-line typescript/require-await
async function answer<T>(database: SqliteDatabase, work: () => T): Promise<T> {
  try {
    database.beginReading();
    return work();
  } catch (error) {
    throw translateSqliteError(database.file, error);
  }
}

function versioned<T extends object>([path, data, version]: [string, string, string]): Versioned<T> {
  return { ref: refOf(path), data: JSON.parse(data) as T, version };
}

function refOf(key: string): { collection: string; id: string } {
  const path = pathOf(key);
  const end = path.lastIndexOf('/');
  return { collection: path.slice(0, end), id: path.slice(end + 1) };
}
