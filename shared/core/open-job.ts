import type { AttemptBrief } from '../messages/attempt-api.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { buildBrief } from './build-brief.ts';
import { claimJob } from './claim-task.ts';
import { formatToken } from './fence.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';

/**
 * A ticket for a token and everything the job needs to know.
 * @throws PenstockError `stale` for a ticket that was used, or whose task has gone on without it.
 */
export async function openJob(ports: Ports, ticket: string): Promise<{ token: string; brief: AttemptBrief }> {
  const claimed = await claimJob(ports, ticket);
  if (claimed === undefined) {
    throw new PenstockError(
      'stale',
      'this ticket was used already, or its task has gone on without it; exit, nothing is left to do',
    );
  }
  const { fence, task } = claimed;
  const run = (await ports.store.get(refs.run(fence.tenant, fence.run)))?.data;
  return { token: formatToken(fence), brief: await buildBrief(ports, fence, task, run) };
}
