import { stages } from '../messages/stages.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Where } from '../ports/store.ts';
import type { Ports } from './ports.ts';
import { runsOf } from './refs.ts';
import { isTerminal } from './run.ts';

const LIVE: Where = { field: 'stage', op: 'in', value: stages.filter((stage) => !isTerminal(stage)) };

/**
 * Why no more runs are taken now; `undefined` while there is room, or no limit. Submissions at the same moment may pass it
 * together: it keeps a tenant in bounds, not to the run.
 */
export async function tooManyRuns(
  ports: Pick<Ports, 'store' | 'settings'>,
  tenant: string,
): Promise<PenstockError | undefined> {
  const { maxLiveRuns } = await ports.settings(tenant);
  if (maxLiveRuns === undefined) return undefined;
  const live = await ports.store.count({
    from: { collection: runsOf(tenant) },
    where: [LIVE],
    upTo: maxLiveRuns,
  });
  if (live < maxLiveRuns) return undefined;
  return new PenstockError(
    'rate_limited',
    `tenant ${tenant} has ${live} live runs, as many as its setting maxLiveRuns allows; wait until one ends, or cancel one`,
    { retry: 'later' },
  );
}
