import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PenstockError } from '../../ports/penstock-error.ts';
import { createGroupCommit } from './sqlite-group-commit.ts';

export interface SqliteDatabaseConfig {
  /** Path of the file; its folder is made where missing. `:memory:` for none. */
  file: string;
  /** `full` survives a loss of power, `normal` only that of the process, at about ten times the speed. @default 'full' */
  synchronous?: 'full' | 'normal';
  /** How long to wait for another process that is writing. @default 5000 */
  busyTimeoutMs?: number;
}

/**
 * Rows inserted, updated and deleted, as SQLite reported them to the statements that did it. Together they are all that
 * {@link SqliteDatabase.totalChanges} counts; rows of what was rolled back stand in both.
 */
export interface SqliteTally {
  /** Of `documents`: one for each document created, set or deleted, by a commit or a purge. */
  documents: number;
  /** Of `items_*`, the index of array fields: one for each value of an array. */
  items: number;
  /** Of `queue_deliveries`: one for each subscription of a message published, and for each lease, retry and acknowledgement. */
  deliveries: number;
  /** Of `document_collections`, `document_groups`, `document_fields` and `queue_subscriptions`: once each, when first named. */
  names: number;
  /** Transactions of collected writes. */
  transactions: number;
  /** Writes done over in a transaction of their own, because another one of theirs failed. */
  redone: number;
}

/** One open file, shared by store and queue. */
export interface SqliteDatabase {
  readonly file: string;
  readonly tally: SqliteTally;
  /** A prepared statement, kept for the next call with the same text; its rows are arrays. */
  prepare(sql: string): StatementSync;
  exec(sql: string): void;
  /** Makes a function known to SQL. It depends on its arguments only. */
  define(name: string, work: (...values: string[]) => string | number | null): void;
  /** What is read in the rest of this turn of the event loop is read from one state, and cheaper: a read alone locks for itself. */
  beginReading(): void;
  /** Runs `work` at once in one write transaction: all of it, or nothing when it throws. Not nested, not asynchronous. */
  transaction<T>(work: () => T): T;
  /**
   * Runs `work` in one transaction with what else is written in this turn of the event loop, in the order of the calls, and
   * resolves when that is committed. Throwing, it changes nothing and disturbs no other. It may be run again after a rollback,
   * so it changes nothing but the database.
   */
  write<T>(work: () => T): Promise<T>;
  /** Commits at once what {@link write} has collected. */
  flush(): void;
  /** Rises when something remembered of the database may be wrong: after `exec`, a rollback, or a change by another process. */
  generation(): number;
  /** SQLite's own count of rows changed since the file was opened. */
  totalChanges(): number;
  /** Flushes first. */
  close(): void;
}

/** Raised with each change of the tables that an earlier version cannot read. */
const SCHEMA_VERSION = 2;
/** A checkpoint waits for the disk, tens of milliseconds: one for each 64 MiB of changes, not for each 4. */
const CHECKPOINT_PAGES = 16_384;
const CACHE_KIB = 8_192;
/** Queries differ only in shape, but field names come from callers. */
const MAX_CACHED_STATEMENTS = 500;

export function openSqliteDatabase(config: SqliteDatabaseConfig): SqliteDatabase {
  const { file } = config;
  const database = translated(file, () => open(config));
  const statements = new Map<string, StatementSync>();
  const tally: SqliteTally = {
    documents: 0,
    items: 0,
    deliveries: 0,
    names: 0,
    transactions: 0,
    redone: 0,
  };
  let generation = 0;

  function prepare(sql: string): StatementSync {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    if (statements.size >= MAX_CACHED_STATEMENTS) statements.clear();
    const statement = translated(file, () => database.prepare(sql));
    statement.setReturnArrays(true);
    statements.set(sql, statement);
    return statement;
  }

  // Not through the cache: they run with every transaction.
  const begin = database.prepare('BEGIN IMMEDIATE');
  const beginRead = database.prepare('BEGIN');
  const commit = database.prepare('COMMIT');
  let isReading = false;
  const dataVersion = database.prepare('PRAGMA data_version');
  dataVersion.setReturnArrays(true);
  let seen = firstOf(dataVersion);

  function beginReading(): void {
    if (isReading || database.isTransaction) return;
    translated(file, () => beginRead.run());
    isReading = true;
    setImmediate(endReading);
  }

  function endReading(): void {
    if (!isReading) return;
    isReading = false;
    commit.run();
  }

  function transaction<T>(work: () => T): T {
    endReading();
    return translated(file, () => {
      begin.run();
      try {
        const now = firstOf(dataVersion);
        if (now !== seen) generation += 1;
        seen = now;
        const result = work();
        commit.run();
        return result;
      } catch (error) {
        generation += 1;
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  const { write, flush } = createGroupCommit(transaction, tally);
  return {
    file,
    tally,
    prepare,
    beginReading,
    transaction,
    write,
    flush,
    generation: () => generation,
    totalChanges: () => firstOf(prepare('SELECT total_changes()')),
    define: (name, work) =>
      database.function(name, { deterministic: true, varargs: true }, (...values) =>
        work(...values.map(String)),
      ),
    exec(sql) {
      generation += 1;
      endReading();
      translated(file, () => database.exec(sql));
    },
    close() {
      if (!database.isOpen) return;
      flush();
      endReading();
      statements.clear();
      database.close();
    },
  };
}

function open({ file, synchronous = 'full', busyTimeoutMs = 5000 }: SqliteDatabaseConfig): DatabaseSync {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const opened = new DatabaseSync(file, { timeout: busyTimeoutMs });
  opened.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
     PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = memory;`,
  );
  const { user_version: version } = opened.prepare('PRAGMA user_version').get() ?? {};
  const isNew = opened.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (isNew) opened.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  else if (version !== SCHEMA_VERSION) {
    opened.close();
    throw new PenstockError(
      'config',
      `${file} was made by ${Number(version) < SCHEMA_VERSION ? 'an earlier' : 'a later'} version of Penstock, which stores its records otherwise; ` +
        `move it away, or name another folder for the data`,
    );
  }
  return opened;
}

function firstOf(statement: StatementSync): number {
  return Number((statement.get() as unknown as unknown[])[0]);
}

/** SQLite's primary result codes that another try may get past. */
const BUSY = 5;
const LOCKED = 6;
const FULL = 13;

function translated<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translateSqliteError(file, error);
  }
}

/** By shape, not by class: under a test runner the error is of another realm. */
export function translateSqliteError(file: string, error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return error;
  const code = Number(error.errcode) & 0xff;
  if (code === BUSY || code === LOCKED) {
    return new PenstockError('unavailable', `${file} is locked by another process; it is tried again`, {
      retry: 'later',
      cause: error,
    });
  }
  if (code === FULL) {
    return new PenstockError('unavailable', `the disk of ${file} is full; make room`, {
      retry: 'later',
      cause: error,
    });
  }
  return new PenstockError(
    'internal',
    `${file}: ${'message' in error ? String(error.message) : 'SQLite failed'}; check that it is a database of Penstock`,
    {
      cause: error,
    },
  );
}
