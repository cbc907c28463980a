import type { Store } from '../../ports/store.ts';
import { runsOf } from '../refs.ts';
import type { Stage } from '../run.ts';

export interface Autonomy {
  finished: number;
  untouched: number;
  /** `null`: nothing has ended yet. */
  rate: number | null;
}

/** How many of a tenant's ended runs needed nobody (S-01, G-01), by counts alone. `ended`: how many there are in each terminal stage. */
export async function autonomyOf(
  store: Pick<Store, 'count'>,
  tenant: string,
  ended: readonly (readonly [Stage, number])[],
): Promise<Autonomy> {
  const touched = await Promise.all(
    ended.map(([stage]) =>
      store.count({
        from: { collection: runsOf(tenant) },
        where: [
          { field: 'stage', op: '==', value: stage },
          { field: 'touches', op: '>', value: 0 },
        ],
      }),
    ),
  );
  const sum = (numbers: number[]): number => numbers.reduce((all, one) => all + one, 0);
  const finished = sum(ended.map(([, count]) => count));
  // A run may have ended between two counts.
  const untouched = Math.max(0, finished - sum(touched));
  return { finished, untouched, rate: finished === 0 ? null : untouched / finished };
}
