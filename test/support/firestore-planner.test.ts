import { describe, expect, it } from '@jest/globals';
import type { Query, Scalar, SumQuery, Where } from '../../shared/ports/store.ts';
import { readIndexes, whyNotServed } from './firestore-planner.ts';

const is = (field: string, value: Scalar): Where => ({ field, op: '==', value });
const after = (field: string): Where => ({ field, op: '>=', value: 1 });
const runs = { collection: 'tenants/t/runs' };
const tasks = { group: 'tasks' };
const page = (query: Omit<Query<never>, 'limit'>): Query<never> => ({ ...query, limit: 1 });
const sum = (where: Where[]): SumQuery => ({ from: runs, where, field: 'charged' });

const indexes = [
  { from: 'group', name: 'tasks', fields: asc('tenant', 'pool', 'rank') },
  { from: 'group', name: 'tasks', fields: asc('state', 'rank') },
  { from: 'collection', name: 'runs', fields: [...asc('stage'), { name: 'at', order: 'desc' }] },
  { from: 'collection', name: 'runs', fields: asc('at', 'charged') },
] as const satisfies ReturnType<typeof readIndexes>;

function asc(...names: string[]): { name: string; order: 'asc' }[] {
  return names.map((name) => ({ name, order: 'asc' }));
}

const whyNot = (query: Query<never> | SumQuery): string | undefined => whyNotServed(query, [...indexes]);

/** As https://firebase.google.com/docs/firestore/query-data/index-overview says. */
describe('what Firestore answers', () => {
  it.each<[string, Query<never> | SumQuery]>([
    ['everything', page({ from: tasks })],
    [
      'equality in one collection, by the indexes that it makes itself',
      page({ from: runs, where: [is('a', 1), is('b', 2)] }),
    ],
    [
      'one collection by one field, either way',
      page({ from: runs, orderBy: { field: 'b', direction: 'desc' } }),
    ],
    ['a range in one collection', page({ from: runs, where: [after('b')] })],
    [
      'equality before the sorted field, in any order',
      page({ from: tasks, where: [is('pool', 'p'), is('tenant', 't')], orderBy: { field: 'rank' } }),
    ],
    [
      'downwards where the index goes down',
      page({ from: runs, where: [is('stage', 's')], orderBy: { field: 'at', direction: 'desc' } }),
    ],
    ['a sum whose field is in the index', sum([after('at')])],
  ])('%s', (_what, query) => {
    expect(whyNot(query)).toBeUndefined();
  });

  it.each<[string, Query<never> | SumQuery, string]>([
    [
      'equality over a group without an index of just that',
      page({ from: tasks, where: [is('tenant', 't'), is('pool', 'p')] }),
      'tasks (group) for: tenant, pool;',
    ],
    ['one field over a group', page({ from: tasks, where: [is('state', 's')] }), 'tasks (group) for: state;'],
    [
      'a field that no index has before the sorted one',
      page({ from: tasks, where: [is('state', 's'), is('held', false)], orderBy: { field: 'rank' } }),
      'state, held, rank asc',
    ],
    [
      'two indexes that end alike',
      page({
        from: tasks,
        where: [is('pool', 'p'), is('tenant', 't'), is('state', 's')],
        orderBy: { field: 'rank' },
      }),
      'pool, tenant, state, rank asc',
    ],
    [
      'the other way round',
      page({ from: runs, where: [is('stage', 's')], orderBy: { field: 'at' } }),
      'stage, at asc',
    ],
    [
      'only a part of an index',
      page({ from: tasks, where: [is('tenant', 't')], orderBy: { field: 'rank' } }),
      'tenant, rank asc',
    ],
    [
      'a sum of a field that is not in the index',
      sum([is('stage', 's'), after('at')]),
      'stage, at asc, charged asc',
    ],
    [
      'an index of one collection, asked over the group',
      page({
        from: { group: 'runs' },
        where: [is('stage', 's')],
        orderBy: { field: 'at', direction: 'desc' },
      }),
      'runs (group)',
    ],
  ])('not %s', (_what, query, text) => {
    expect(whyNot(query)).toContain(text);
  });

  it('is planned with the indexes that Terraform makes', () => {
    const names = readIndexes().map(({ from, name, fields }) =>
      [from, name, ...fields.map((field) => field.name)].join(' '),
    );
    expect(names).toContain('group tasks tenant pool state held notBefore rank');
    expect(names).toContain('group runs deletingSince');
    expect(new Set(names).size).toBe(names.length);
  });
});
