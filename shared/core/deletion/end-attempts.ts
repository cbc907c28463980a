import { PenstockError } from '../../ports/penstock-error.ts';
import { cancelRun } from '../cancel-run.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { isTerminal, type Run } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import { currentAttempt } from '../task.ts';

export type DeletionPorts = Parameters<typeof cancelRun>[0] & Pick<Ports, 'blobs'>;

/** So long a deleted run waits for its comment and check run to say that it has ended. */
const MAX_SETTLE_MS = 60 * 60_000;

/** Cancels what is live of a run. Answers whether nothing works on it any more and the outside knows. */
export async function endAttempts(ports: DeletionPorts, { tenant, id }: Run): Promise<boolean> {
  await cancel(ports, tenant, id);
  const run = (await ports.store.get(refs.run(tenant, id)))?.data;
  if (run === undefined) return true;
  if (!isTerminal(run.stage)) return false;
  await stopExecutions(ports, run);
  return !run.unsettledOutside || ports.clock.now() - (run.endedAt ?? 0) > MAX_SETTLE_MS;
}

async function cancel(ports: DeletionPorts, tenant: string, id: string): Promise<void> {
  try {
    await cancelRun(ports, tenant, id, 'the deletion of its TaskRun');
  } catch (error) {
    // It has ended by itself, which is as good; or it is written to so often that the next call has to do it.
    if (!(error instanceof PenstockError && error.code === 'conflict')) throw error;
  }
}

/** An attempt that was taken away may still be running somewhere, until it asks again. */
async function stopExecutions(ports: DeletionPorts, { tenant, id: run }: Run): Promise<void> {
  for (const task of await readTasks(ports.store, tenant, run)) {
    const attempt = currentAttempt(task);
    const outcome = attempt?.exit?.outcome;
    const mayRun = task.lane === 'job' && (outcome === 'cancelled' || outcome === 'lost');
    if (attempt === undefined || !mayRun) continue;
    await ports.jobs.cancel({ tenant, run, task: task.id, generation: attempt.generation });
  }
}
