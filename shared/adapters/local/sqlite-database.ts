import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PenstockError } from '../../ports/penstock-error.ts';

export interface SqliteDatabaseConfig {
  /** Path of the file; its folder is made where missing. `:memory:` for none. */
  file: string;
  /** `full` survives a loss of power, `normal` only that of the process, at about ten times the speed. @default 'full' */
  synchronous?: 'full' | 'normal';
  /** How long to wait for another process that is writing. @default 5000 */
  busyTimeoutMs?: number;
}

/** One open file, shared by store and queue. */
export interface SqliteDatabase {
  readonly file: string;
  /** A prepared statement, kept for the next call with the same text. */
  prepare(sql: string): StatementSync;
  exec(sql: string): void;
  /** Runs `work` in one write transaction: all of it, or nothing when it throws. Not nested, not asynchronous. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Queries differ only in shape, but field names come from callers. */
const MAX_CACHED_STATEMENTS = 500;

export function openSqliteDatabase(config: SqliteDatabaseConfig): SqliteDatabase {
  const { file, synchronous = 'full', busyTimeoutMs = 5000 } = config;
  const database = translated(file, () => {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    const opened = new DatabaseSync(file, { timeout: busyTimeoutMs });
    opened.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`);
    return opened;
  });
  const statements = new Map<string, StatementSync>();

  function prepare(sql: string): StatementSync {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    if (statements.size >= MAX_CACHED_STATEMENTS) statements.clear();
    const statement = translated(file, () => database.prepare(sql));
    statements.set(sql, statement);
    return statement;
  }

  function transaction<T>(work: () => T): T {
    return translated(file, () => {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  return {
    file,
    prepare,
    transaction,
    exec: (sql) => translated(file, () => database.exec(sql)),
    close() {
      statements.clear();
      if (database.isOpen) database.close();
    },
  };
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
