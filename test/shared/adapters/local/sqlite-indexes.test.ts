import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  openSqliteDatabase,
  type SqliteDatabase,
} from '../../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../../shared/adapters/local/sqlite-store.ts';
import type { CountQuery, Query, Scalar, Where } from '../../../../shared/ports/store.ts';
import { INDEXES } from '../../../../shared/runtime/local.ts';

const is = (field: string, value: Scalar): Where => ({ field, op: '==', value });
const isIn = (field: string, value: Scalar[]): Where => ({ field, op: 'in', value });
const tasks = { collection: 'tenants/t/runs/r/tasks' };
const allTasks = { group: 'tasks' };
const runs = { collection: 'tenants/t/runs' };
const allRuns = { group: 'runs' };
const held = isIn('state', ['running', 'starting']);
const leadsTo: Where = { field: 'dependants', op: 'array-contains', value: 'd' };

/** Answered from index entries alone. */
const counts: Record<string, CountQuery> = {
  'a dependency that is not settled': { from: tasks, where: [leadsTo, is('settled', false)], upTo: 1 },
  'a live dependency': { from: tasks, where: [leadsTo, is('live', true)], upTo: 1 },
  'a live task': { from: tasks, where: [is('live', true)], upTo: 1 },
  'failures of a signature': { from: tasks, where: [is('signature', 's')], upTo: 3 },
  'what runs in a pool': { from: allTasks, where: [is('tenant', 't'), is('pool', 'core'), held], upTo: 3 },
  'what an agent runs': { from: allTasks, where: [is('tenant', 't'), is('agent', 'a'), held], upTo: 3 },
  'runs of a stage': { from: runs, where: [is('stage', 'executing')] },
};

/** Read in order, no further than asked. */
const sorted: Record<string, Query<never>> = {
  'what waits for room': {
    from: allTasks,
    where: [
      is('tenant', 't'),
      is('pool', 'core'),
      is('state', 'ready'),
      is('held', false),
      is('notBefore', 0),
    ],
    orderBy: { field: 'rank' },
    limit: 5,
  },
  'runs to check': {
    from: allRuns,
    where: [is('stage', 'executing'), { field: 'checkedAt', op: '<=', value: 5 }],
    orderBy: { field: 'checkedAt' },
    limit: 5,
  },
  'runs to settle outside': {
    from: allRuns,
    where: [is('unsettledOutside', true), { field: 'checkedAt', op: '<=', value: 5 }],
    orderBy: { field: 'checkedAt' },
    limit: 5,
  },
  'runs to delete': { from: allRuns, where: [{ field: 'deletingSince', op: '>', value: 0 }], limit: 5 },
  'decisions to remind of': {
    from: { group: 'decisions' },
    where: [is('state', 'open'), { field: 'dueAt', op: '<=', value: 5 }],
    limit: 5,
  },
  'effects that are claimed': {
    from: { group: 'effects' },
    where: [is('state', 'intended'), { field: 'claimUntil', op: '>', value: 5 }],
    limit: 5,
  },
  'the newest runs': { from: runs, orderBy: { field: 'createdAt', direction: 'desc' }, limit: 5 },
  'the newest runs of a stage': {
    from: runs,
    where: [is('stage', 'failed')],
    orderBy: { field: 'createdAt', direction: 'desc' },
    limit: 5,
  },
  'the tasks of a run': { from: tasks, limit: 5 },
};

/** Only what is asked for is read; it is few, and sorted afterwards. */
const found: Record<string, Query<never>> = {
  'leases that are over': {
    from: allTasks,
    where: [held, { field: 'leaseUntil', op: '<', value: 5 }],
    limit: 5,
  },
  'what is due': {
    from: allTasks,
    where: [
      isIn('state', ['pending', 'ready']),
      is('held', false),
      { field: 'notBefore', op: '>', value: 0 },
      { field: 'notBefore', op: '<=', value: 5 },
    ],
    limit: 5,
  },
  'live runs to check': {
    from: allRuns,
    where: [isIn('stage', ['accepted', 'executing']), { field: 'checkedAt', op: '<=', value: 5 }],
    orderBy: { field: 'checkedAt' },
    limit: 5,
  },
};

describe('with the declared indexes the SQLite store', () => {
  let database: SqliteDatabase;
  let statements: string[];
  beforeEach(() => {
    database = openSqliteDatabase({ file: ':memory:' });
    statements = [];
  });
  afterEach(() => {
    database.close();
  });

  function open() {
    const spied: SqliteDatabase = {
      ...database,
      prepare(sql) {
        statements.push(sql);
        return database.prepare(sql);
      },
    };
    return createSqliteStore({ database: spied, indexes: INDEXES });
  }

  function plan(): string {
    const asked = statements.at(-1) ?? '';
    const marks = asked.split('?').length - 1;
    const rows = database
      .prepare(`EXPLAIN QUERY PLAN ${asked}`)
      .all(...Array.from({ length: marks }, () => '1'));
    return (rows as unknown as [number, number, number, string][]).map(([, , , detail]) => detail).join('\n');
  }

  it.each(Object.entries(counts))('counts without reading a document: %s', async (_what, query) => {
    await open().count(query);
    expect(plan()).toMatch(/SEARCH (documents|items_\w+) USING COVERING INDEX/);
  });

  it.each(Object.entries(sorted))('reads in the order of an index: %s', async (_what, query) => {
    await open().query(query);
    expect(plan()).toMatch(/^SEARCH documents USING INDEX/);
    expect(plan()).not.toMatch(/SCAN|TEMP B-TREE/);
  });

  it.each(Object.entries(found))('reads what is asked for and no more: %s', async (_what, query) => {
    await open().query(query);
    expect(plan()).toMatch(
      /^SEARCH documents USING INDEX .* \((key_\d+=\? AND )+key_\d+>\? AND key_\d+<\?\)/,
    );
    expect(plan()).not.toMatch(/SCAN/);
  });
});
