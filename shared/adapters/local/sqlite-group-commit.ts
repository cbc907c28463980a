import type { SqliteDatabase, SqliteTally } from './sqlite-database.ts';

/** One write waiting for its turn to end. */
interface Waiting {
  run(): void;
  committed(): void;
  failed(error: unknown): void;
}

/** Of one transaction; the event loop goes round between two of them. */
const MAX_BATCH = 200;

/** Collects what is written in one turn of the event loop into one transaction: its price is paid once for all. */
export function createGroupCommit(
  transaction: SqliteDatabase['transaction'],
  tally: SqliteTally,
): Pick<SqliteDatabase, 'write' | 'flush'> {
  let waiting: Waiting[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      const batch = waiting.length > MAX_BATCH ? waiting.splice(0, MAX_BATCH) : waiting;
      if (batch === waiting) waiting = [];
      else schedule();
      commitBatch(batch);
    });
  }

  function commitBatch(batch: Waiting[]): void {
    if (batch.length === 0) return;
    let hasBegun = false;
    try {
      tally.transactions += 1;
      transaction(() => {
        hasBegun = true;
        for (const each of batch) each.run();
      });
    } catch (error) {
      // Where the transaction could not begin, none of them can.
      if (!hasBegun || batch.length === 1) for (const each of batch) each.failed(error);
      else redo(batch);
      return;
    }
    for (const each of batch) each.committed();
  }

  function redo(batch: Waiting[]): void {
    for (const each of batch) {
      tally.redone += 1;
      commitBatch([each]);
    }
  }

  return {
    write: <T>(work: () => T) =>
      new Promise<T>((resolve, reject) => {
        let result: T;
        waiting.push({
          run: () => (result = work()),
          committed: () => resolve(result),
          failed: reject,
        });
        schedule();
      }),
    flush() {
      const batch = waiting;
      waiting = [];
      commitBatch(batch);
    },
  };
}
