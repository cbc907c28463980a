import { DatabaseSync, StatementSync } from 'node:sqlite';

export interface SqliteWatch {
  /** One value, asked on the platform's own connection: settings and counters are those of a connection, not of the file. */
  ask(sql: string): unknown;
  /** Rows that statements on this table changed, by SQLite's own count; 0 where statements are not watched. */
  changesOf(table: string): number;
}

const WRITING = /^\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b/i;
const TABLE = /\b(?:INTO|UPDATE|FROM)\s+"?(\w+)/i;

/**
 * Sees the connection that the platform opens in this process. With `statements`, also how far SQLite's `total_changes()`
 * moves with each of them; that costs time, so not while anything is timed.
 */
export function watchSqlite({ statements }: { statements: boolean }): SqliteWatch {
  const prepare = Reflect.get(DatabaseSync.prototype, 'prepare');
  const changes = new Map<string, number>();
  const connections: DatabaseSync[] = [];
  const ask = (sql: string): unknown => {
    const [connection] = connections;
    if (connection === undefined) throw new Error('the platform has not opened its database');
    return Object.values(prepare.call(connection, sql).get() ?? {})[0];
  };

  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args) {
    if (connections.length === 0) connections.push(this);
    return prepare.apply(this, args);
  };
  if (statements) {
    for (const method of ['run', 'get', 'all'] as const) {
      const original = Reflect.get(StatementSync.prototype, method) as (...args: unknown[]) => unknown;
      Reflect.set(StatementSync.prototype, method, function (this: StatementSync, ...args: unknown[]) {
        if (!WRITING.test(this.sourceSQL)) return original.apply(this, args);
        const before = totalChanges();
        const result = original.apply(this, args);
        const table = TABLE.exec(this.sourceSQL)?.[1] ?? '';
        changes.set(table, (changes.get(table) ?? 0) + totalChanges() - before);
        return result;
      });
    }
  }
  const totalChanges = (): number => Number(ask('SELECT total_changes()'));
  return { ask, changesOf: (table) => changes.get(table) ?? 0 };
}
