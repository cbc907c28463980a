import type { Query, Scalar, Store, Where, Write } from '../../shared/ports/store.ts';

type Document = Record<string, unknown>;

const COLLECTIONS = ['a/x/docs', 'a/x-y/docs', 'docs'];
const FIELDS = ['a', 'b', 'odd.field'];
const SCALARS: Exclude<Scalar, null>[] = [
  true,
  false,
  -1,
  0,
  1,
  1.5,
  2 ** 53,
  '',
  '1',
  'B',
  'a',
  'aa',
  'ä',
  '😀',
  '\uffee',
];

/** Documents and queries that are the same for the same seed. */
export function randomQueries(seed: number) {
  let state = seed;
  const fraction = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) / 0x800000;
  };
  const chance = (probability: number) => fraction() < probability;
  function pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(fraction() * from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }
  const scalar = () => pick(SCALARS);

  function document(): Document {
    const fields = FIELDS.flatMap((field): [string, unknown][] =>
      chance(0.15) ? [] : [[field, chance(0.1) ? null : scalar()]],
    );
    const list = chance(0.2)
      ? scalar()
      : Array.from({ length: 3 }, () => (chance(0.2) ? [scalar()] : scalar()));
    return Object.fromEntries([...fields, ['list', list]]);
  }

  function filter(): Where {
    const field = pick(FIELDS);
    if (chance(0.2)) return { field: 'list', op: 'array-contains', value: scalar() };
    if (chance(0.25)) return { field, op: 'in', value: [...new Set([scalar(), scalar(), scalar()])] };
    if (chance(0.1)) return { field, op: '==', value: null };
    return { field, op: pick(['==', '<', '<=', '>', '>=', '<=', '>='] as const), value: scalar() };
  }

  return {
    writes: (): Write[] =>
      Array.from({ length: 60 }, (_, n): Write => {
        const ref = { collection: pick(COLLECTIONS), id: `${pick(['a', 'B', 'ä', '-'])}${n}` };
        return { op: 'set', ref, data: document() };
      }),
    query(): Query<Document> {
      const filters = [chance(0.85) ? filter() : [], chance(0.3) ? filter() : []].flat();
      const isTwice = filters.length === 2 && filters[0]?.op === filters[1]?.op;
      const where = isTwice ? filters.slice(0, 1) : filters;
      const direction = pick(['asc', 'desc'] as const);
      return {
        from: chance(0.4) ? { group: 'docs' } : { collection: pick(COLLECTIONS) },
        where,
        ...(chance(0.6) ? { orderBy: { field: pick(FIELDS), direction } } : {}),
        limit: pick([1, 3, 10, 100]),
      };
    },
  };
}

/** Ids of every document that a query finds, over all its pages. */
export async function allPages(store: Store, query: Query<Document>): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.query(cursor === undefined ? query : { ...query, cursor });
    found.push(...page.documents.map(({ ref }) => ref.id));
    cursor = page.cursor;
  } while (cursor !== undefined && found.length < 1000);
  return found;
}
