import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { EndedEntry, Journal, JournalEntry, JournalSummary, StartedEntry } from './journal.ts';

export interface SqliteJournalConfig {
  /** Folder of `workflows.db`; it is made where missing. */
  folder: string;
  /** `normal` survives the end of the process, `full` also a loss of power, at about ten times the time. @default 'normal' */
  synchronous?: 'full' | 'normal';
}

const FILE = 'workflows.db';
/** Raised with each change of the tables or entries that an earlier version cannot read. */
const SCHEMA_VERSION = 1;
const TABLES = `
  CREATE TABLE IF NOT EXISTS executions (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT, ended_at INTEGER) STRICT;
  CREATE INDEX IF NOT EXISTS executions_workflow ON executions (workflow, number);
  CREATE INDEX IF NOT EXISTS executions_active ON executions (number) WHERE ended IS NULL;
  CREATE TABLE IF NOT EXISTS entries (
    execution INTEGER NOT NULL, place INTEGER NOT NULL, entry TEXT NOT NULL,
    PRIMARY KEY (execution, place)) STRICT, WITHOUT ROWID;`;

interface Row {
  id: string;
  started: string;
  ended: string | null;
}

/** In a database of its own, one transaction for each entry. */
export function openSqliteJournal({ folder, synchronous = 'normal' }: SqliteJournalConfig): Journal {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, FILE), { timeout: 5_000 });
  checkVersion(database, join(folder, FILE));
  database.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; ${TABLES} PRAGMA user_version = ${SCHEMA_VERSION}`,
  );
  const prepare = (sql: string) => database.prepare(sql);
  const insertExecution = prepare('INSERT INTO executions (id, workflow, started) VALUES (?, ?, ?)');
  const insertEntry = prepare(
    `INSERT INTO entries (execution, place, entry)
     SELECT number, (SELECT coalesce(max(place), 0) + 1 FROM entries WHERE execution = number), ? FROM executions WHERE id = ?`,
  );
  const end = prepare('UPDATE executions SET ended = ?, ended_at = ? WHERE id = ? AND ended IS NULL');
  const dropEntries = prepare(
    'DELETE FROM entries WHERE execution = (SELECT number FROM executions WHERE id = ?)',
  );
  const selectEntries = prepare(
    'SELECT entry FROM entries WHERE execution = (SELECT number FROM executions WHERE id = ?) ORDER BY place',
  );
  const selectOne = prepare('SELECT id, started, ended FROM executions WHERE id = ?');
  const selectList = prepare(
    `SELECT id, started, ended FROM executions
     WHERE workflow = ? AND number < coalesce((SELECT number FROM executions WHERE id = ?), 9e18)
     ORDER BY number DESC LIMIT ?`,
  );
  const selectActive = prepare('SELECT id FROM executions WHERE ended IS NULL ORDER BY number');
  const forget = prepare('DELETE FROM executions WHERE ended_at < ?');

  function transaction(work: () => void): void {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  function find(id: string): JournalSummary | undefined {
    const row = selectOne.get(id) as Row | undefined;
    return row === undefined ? undefined : summaryOf(row);
  }

  return {
    append(id, entry) {
      const text = JSON.stringify(entry);
      if (entry.type === 'started') insertExecution.run(id, entry.workflow, text);
      else if (entry.type !== 'ended') insertEntry.run(text, id);
      else
        transaction(() => {
          end.run(text, entry.atMs, id);
          dropEntries.run(id);
        });
    },
    read(id) {
      const summary = find(id);
      if (summary === undefined) return [];
      const between = selectEntries.all(id).map(({ entry }) => JSON.parse(String(entry)) as JournalEntry);
      return [summary.started, ...between, ...(summary.ended === undefined ? [] : [summary.ended])];
    },
    find,
    list: (workflow, { limit, after }) =>
      (selectList.all(workflow, after ?? null, limit) as unknown as Row[]).map(summaryOf),
    active: () => selectActive.all().map(({ id }) => String(id)),
    prune: (before) => void forget.run(before),
    close: () => database.close(),
  };
}

function checkVersion(database: DatabaseSync, file: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
  if (version === 0 || version === SCHEMA_VERSION) return;
  database.close();
  throw new Error(`${file} was made by another version of this program (${String(version)}); move it away`);
}

function summaryOf({ id, started, ended }: Row): JournalSummary {
  return {
    id,
    started: JSON.parse(started) as StartedEntry,
    ...(ended === null ? {} : { ended: JSON.parse(ended) as EndedEntry }),
  };
}
