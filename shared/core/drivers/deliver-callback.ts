import { change } from '../change.ts';
import { refs } from '../refs.ts';
import type { Run } from '../run.ts';
import type { HandBackPorts } from './hand-back.ts';

/**
 * Tells a run's workflow that the stage it waits for is over. What cannot be delivered now is left to the next sweep, for however
 * long: a workflow that is not reached is no reason to end a run.
 */
export async function deliverCallback(ports: HandBackPorts, run: Run): Promise<void> {
  const { tenant, id, driver, stageRequest: request } = run;
  if (request?.state !== 'over' || ports.workflows === undefined) return;
  const execution = { workflow: driver, id: request.execution };
  try {
    await ports.workflows.wake(execution, request.callback, { stage: request.stage, sequence: request.seq });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    ports.log.warn(`workflow ${driver} of run ${id} could not be woken, the sweep tries again: ${why}`, {
      tenant,
      run: id,
    });
    return;
  }
  await change(ports.store, refs.run(tenant, id), (current) => {
    if (current.stageRequest?.state !== 'over' || current.stageRequest.seq !== request.seq) return undefined;
    const { undeliveredSince: _delivered, ...rest } = current;
    return { data: { ...rest, stageRequest: { ...current.stageRequest, state: 'delivered' as const } } };
  });
}
