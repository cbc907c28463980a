import type { RenewAnswer } from '../messages/attempt-api.ts';
import { change } from './change.ts';
import { type Fence, heldAttempt } from './fence.ts';
import { staleAttempt } from './meter.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import type { Task } from './task.ts';

type RenewPorts = Pick<Ports, 'store' | 'clock' | 'policy'>;

/**
 * Extends the lease, and tells the worker what its run wants of it. Independent of what the model does.
 * @throws PenstockError `stale` where the attempt is not held any more.
 */
export async function renewAttempt(ports: RenewPorts, fence: Fence): Promise<RenewAnswer> {
  const { tenant, run: runId, task: taskId } = fence;
  const now = ports.clock.now();
  const { data: task, changed } = await change(
    ports.store,
    refs.task(tenant, runId, taskId),
    (current: Task) =>
      heldAttempt(current, fence) === undefined
        ? undefined
        : { data: { ...current, leaseUntil: now + ports.policy.leaseMs, updatedAt: now } },
  );
  if (!changed) throw staleAttempt(fence);
  const run = await ports.store.get(refs.run(tenant, runId));
  if (run === undefined || run.data.stage === 'cancelling') return { answer: 'stop', messages: [] };
  const hardLimitAt = task.attempts.at(-1)?.hardLimitAt ?? 0;
  return { answer: now >= hardLimitAt - ports.policy.wrapUpMs ? 'wrap-up' : 'continue', messages: [] };
}
