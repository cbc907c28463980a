import { type Fence, heldAttempt } from './fence.ts';
import { staleAttempt } from './meter.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';

/** @throws PenstockError `stale` unless the fence holds its task right now. */
export async function requireHeld(ports: Pick<Ports, 'store'>, fence: Fence): Promise<void> {
  const task = (await ports.store.get(refs.task(fence.tenant, fence.run, fence.task)))?.data;
  if (task === undefined || heldAttempt(task, fence) === undefined) throw staleAttempt(fence);
}
