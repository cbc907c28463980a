import { PenstockError } from '../../ports/penstock-error.ts';
import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { DIRECT, isTerminal, type Run } from '../run.ts';

/** A run, and an execution that says it drives it. */
export interface DriverClaim {
  tenant: string;
  run: string;
  execution: string;
}

/**
 * The first execution that asks is the run's driver from then on; asking again is fine.
 * @throws PenstockError `not_found`; `conflict` where another one is, or there is nothing to drive.
 */
export async function claimRun(ports: Pick<Ports, 'store' | 'clock'>, claim: DriverClaim): Promise<Run> {
  const { data } = await change(ports.store, refs.run(claim.tenant, claim.run), (run) => {
    if (isClaimedBy(run, claim.execution)) return undefined;
    if (run.driver === DIRECT) throw refused(run, `its driver is ${DIRECT}`);
    if (run.execution?.claimedAt !== undefined) throw refused(run, `execution ${run.execution.id} drives it`);
    if (isTerminal(run.stage) || run.stage === 'cancelling') throw refused(run, `it is ${run.stage}`);
    const claimedAt = ports.clock.now();
    const { startedAt, starts } = run.execution ?? { startedAt: claimedAt, starts: 1 };
    return { data: { ...run, execution: { id: claim.execution, startedAt, starts, claimedAt } } };
  });
  return data;
}

/** @throws PenstockError `conflict` where that execution does not drive the run. */
export function requireClaimed(run: Run, execution: string): void {
  if (!isClaimedBy(run, execution)) throw refused(run, `execution ${execution} has not claimed it`);
}

function isClaimedBy({ execution }: Run, id: string): boolean {
  return execution?.claimedAt !== undefined && execution.id === id;
}

function refused({ id }: Run, why: string): PenstockError {
  return new PenstockError('conflict', `run ${id} is not to be driven: ${why}; end this execution`);
}
