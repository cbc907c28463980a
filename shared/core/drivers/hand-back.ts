import type { AskedStage } from '../../messages/stages.ts';
import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { DIRECT, isTerminal, type Run } from '../run.ts';
import { deliverCallback } from './deliver-callback.ts';
import { mayBegin } from './may-begin.ts';

export type HandBackPorts = Pick<Ports, 'store' | 'clock' | 'log' | 'workflows'>;

/**
 * The run stands where `next` would begin and may not yet, or has ended: what its workflow asked for is over, which is recorded and
 * then told to the workflow. Idempotent; whoever comes by again delivers what was not delivered. A `direct` run costs nothing.
 */
export async function handBack(ports: HandBackPorts, run: Run, next?: AskedStage): Promise<void> {
  if (run.driver === DIRECT || run.stageRequest === undefined) return;
  const { data } = await change(ports.store, refs.run(run.tenant, run.id), (current) => {
    if (current.stageRequest?.state !== 'asked' || !isOver(current, next)) return undefined;
    const stageRequest = { ...current.stageRequest, state: 'over' as const };
    return { data: { ...current, stageRequest, undeliveredSince: ports.clock.now() } };
  });
  await deliverCallback(ports, data);
}

/** Asked again meanwhile, it goes on instead. */
function isOver(run: Run, next: AskedStage | undefined): boolean {
  return isTerminal(run.stage) || (next !== undefined && !mayBegin(run, next));
}
