import { fileURLToPath } from 'node:url';
import { orderFields } from '../../shared/ports/store-rules.ts';
import type { CountQuery, Query, Store, SumQuery } from '../../shared/ports/store.ts';
import { readLocal } from './read-hcl.ts';

interface IndexField {
  name: string;
  order: 'asc' | 'desc' | 'contains';
}

interface FirestoreIndex {
  /** As the adapter asks: one collection by path, or every collection of that name. */
  from: 'collection' | 'group';
  name: string;
  fields: IndexField[];
}

/** What Firestore's planner needs to know of a query. */
interface Asked extends Omit<FirestoreIndex, 'fields'> {
  /** In any order, at the front of an index. */
  equal: string[];
  /** In this order, at its end. */
  sorted: IndexField[];
}

const INDEX_FILE = fileURLToPath(new URL('../../terraform/firestore-indexes.tf', import.meta.url));

/** The indexes that Terraform makes. */
export function readIndexes(): FirestoreIndex[] {
  const composite = Object.values(
    readLocal(INDEX_FILE, 'indexes') as unknown as Record<
      string,
      { group: string; scope: string; array?: string; fields: string[]; direction?: string }
    >,
  );
  const ofGroups = Object.values(
    readLocal(INDEX_FILE, 'group_fields') as unknown as Record<string, { group: string; field: string }>,
  );
  return [
    ...composite.map(({ group, scope, array, fields, direction }): FirestoreIndex => ({
      from: scope === 'COLLECTION' ? 'collection' : 'group',
      name: group,
      fields: [
        ...(array === undefined ? [] : [{ name: array, order: 'contains' as const }]),
        ...fields.map((name, at): IndexField => {
          const isDown = direction === 'DESCENDING' && at === fields.length - 1;
          return { name, order: isDown ? 'desc' : 'asc' };
        }),
      ],
    })),
    ...ofGroups.map(({ group, field }): FirestoreIndex => ({
      from: 'group',
      name: group,
      fields: [{ name: field, order: 'asc' }],
    })),
  ];
}

/**
 * Why Firestore would refuse a query with FAILED_PRECONDITION, which its emulator never does; `undefined` where it answers: by an
 * index of its equality filters, in any order, and behind them of what it is sorted by (a range sorts, and a sum reads its field from
 * the index), and of nothing else. Firestore itself indexes each single field, of one collection only. It may also join indexes that
 * end alike, but not with every filter; what needs that is refused here.
 * Source: https://firebase.google.com/docs/firestore/query-data/index-overview
 */
export function whyNotServed(query: Query<never> | SumQuery, indexes: FirestoreIndex[]): string | undefined {
  const asked = readQuery(query);
  const { equal, sorted, from, name } = asked;
  const isServedByItself =
    equal.length + sorted.length === 0 ||
    (from === 'collection' && (sorted.length === 0 || (equal.length === 0 && sorted.length === 1)));
  if (isServedByItself || indexes.some((index) => serves(index, asked))) return undefined;
  const fields = [...equal, ...sorted.map((field) => `${field.name} ${field.order}`)].join(', ');
  return `Firestore has no index of ${name} (${from}) for: ${fields}; add it to terraform/firestore-indexes.tf`;
}

function serves({ from, name, fields }: FirestoreIndex, { equal, sorted, ...asked }: Asked): boolean {
  const front = fields.slice(0, equal.length).map((field) => field.name);
  const end = fields.slice(equal.length);
  return (
    from === asked.from &&
    name === asked.name &&
    end.length === sorted.length &&
    equal.every((field) => front.includes(field)) &&
    end.every((field, at) => field.name === sorted[at]?.name && field.order === sorted[at].order)
  );
}

function readQuery(query: Query<never> | SumQuery): Asked {
  const { from, where = [] } = query;
  const isRange = (op: string) => op.startsWith('<') || op.startsWith('>');
  const equal = [...new Set(where.filter(({ op }) => !isRange(op)).map(({ field }) => field))];
  const order = 'orderBy' in query && query.orderBy?.direction === 'desc' ? 'desc' : 'asc';
  const sortedBy = 'limit' in query ? orderFields(query) : orderFields({ ...query, limit: 1 });
  const summed = 'field' in query ? [query.field] : [];
  const names = [...new Set([...sortedBy, ...summed])].filter((name) => !equal.includes(name));
  const sorted = names.map((name) => ({ name, order }) as const);
  if ('group' in from) return { from: 'group', name: from.group, equal, sorted };
  return { from: 'collection', name: from.collection.split('/').at(-1) ?? '', equal, sorted };
}

const TERRAFORMED = readIndexes();
/** Local mode alone asks for it, of SQLite: what this host held when it died. */
const LOCAL_ONLY = 'tasks (group) for: state;';

/** Refuses what Firestore would. */
export function withFirestoreIndexes<S extends Store>(store: S): S {
  const check = (query: Query<never> | CountQuery | SumQuery): void => {
    const why = whyNotServed(query as SumQuery, TERRAFORMED);
    if (why !== undefined && !why.includes(LOCAL_ONLY)) throw new Error(why);
  };
  return {
    ...store,
    query: (query) => {
      check(query);
      return store.query(query);
    },
    count: (query) => {
      check(query);
      return store.count(query);
    },
    sum: (query) => {
      check(query);
      return store.sum(query);
    },
  };
}
