import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  openSqliteDatabase,
  type SqliteDatabase,
} from '../../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../../shared/adapters/local/sqlite-store.ts';
import { appendHistory, type HistoryEntry } from '../../../../shared/core/history.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Run } from '../../../../shared/core/run.ts';
import type { Task } from '../../../../shared/core/task.ts';
import { eventsOf, extendOrder, type FeedOrder, readFeed } from '../../../../shared/core/views/run-feed.ts';
import type { Store } from '../../../../shared/ports/store.ts';

interface Entry {
  record: string;
  at: number;
}

/** A run and its tasks after the first entries of a story. The feed looks at nothing but these fields. */
function recordsAfter(story: readonly Entry[]): { run: Run; tasks: Task[] } {
  const histories = new Map<string, HistoryEntry[]>([['', []]]);
  for (const { record, at } of story) {
    histories.set(record, appendHistory(histories.get(record) ?? [], { at, state: 'running', by: 'test' }));
  }
  const [, ...tasks] = [...histories].map(
    ([id, history]) => ({ id, run: 'run1', tenant: 'local', live: true, history }) as Task,
  );
  return {
    run: { id: 'run1', tenant: 'local', stage: 'executing', history: histories.get('') } as unknown as Run,
    tasks,
  };
}

const story = fc.array(
  fc.record({ record: fc.constantFrom('', 'api', 'docs', 'tests'), at: fc.integer({ min: 1, max: 9 }) }),
  {
    maxLength: 30,
  },
);

describe('the events of a run', () => {
  it('only ever get longer, whatever times the entries that appear later have', () => {
    fc.assert(
      fc.property(story, fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }), (entries, cuts) => {
        let order: FeedOrder | undefined;
        let told: unknown[] = [];
        for (const cut of [...cuts.toSorted((a, b) => a - b), entries.length]) {
          const { run, tasks } = recordsAfter(entries.slice(0, cut));
          order = extendOrder(order, run, tasks);
          const events = eventsOf(run, tasks, order);
          expect(events.slice(0, told.length)).toEqual(told);
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
          told = events;
        }
        expect(told).toHaveLength(entries.length);
      }),
    );
  });

  it('are in order of time where they were first seen together', () => {
    const { run, tasks } = recordsAfter([
      { record: '', at: 1 },
      { record: 'api', at: 5 },
      { record: 'docs', at: 3 },
    ]);
    const events = eventsOf(run, tasks, extendOrder(undefined, run, tasks));
    expect(events.map(({ task }) => task)).toEqual([undefined, 'docs', 'api']);
  });

  it('end with the end of the run, also when a clock that was ahead stamped a task later', () => {
    const run = {
      ...recordsAfter([]).run,
      stage: 'failed',
      history: appendHistory([], { at: 10, state: 'failed', by: 'engine' }),
    } as Run;
    const { tasks } = recordsAfter([{ record: 'api', at: 12 }]);
    expect(eventsOf(run, tasks, extendOrder(undefined, run, tasks)).at(-1)?.type).toBe('run_finished');
  });
});

describe('reading the feed from a store', () => {
  let database: SqliteDatabase;
  let store: Store;
  beforeAll(() => {
    database = openSqliteDatabase({ file: ':memory:' });
    store = createSqliteStore({ database });
  });
  afterAll(async () => {
    await store.close();
    database.close();
  });

  async function write(entries: readonly Entry[]): Promise<void> {
    const { run, tasks } = recordsAfter(entries);
    await store.commit([
      { op: 'set', ref: refs.run('local', 'run1'), data: run },
      ...tasks.map((task) => ({ op: 'set' as const, ref: refs.task('local', 'run1', task.id), data: task })),
    ]);
  }

  it('gives every reader the same numbers, also readers at the same moment', async () => {
    const first = [
      { record: '', at: 5 },
      { record: 'api', at: 7 },
    ];
    await write(first);
    const readers = await Promise.all(Array.from({ length: 6 }, () => readFeed(store, 'local', 'run1')));
    const before = readers[0]?.events ?? [];
    expect(before).toHaveLength(2);
    for (const reader of readers) expect(reader?.events).toEqual(before);
    await write([...first, { record: 'docs', at: 1 }]);
    const after = await readFeed(store, 'local', 'run1');
    expect(after?.events.slice(0, 2)).toEqual(before);
    expect(after?.events[2]).toMatchObject({ seq: 3, task: 'docs', at: '1970-01-01T00:00:00.001Z' });
  });

  it('knows no run that does not exist', async () => {
    expect(await readFeed(store, 'local', 'other')).toBeUndefined();
  });
});
