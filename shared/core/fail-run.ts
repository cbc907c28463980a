import { PenstockError } from '../ports/penstock-error.ts';
import { change } from './change.ts';
import { withdrawn } from './ended-attempt.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { type EndReason, isTerminal } from './run.ts';
import { readTasks } from './run-tasks.ts';
import { endRun, type SettlePorts } from './settle-run.ts';
import type { Task } from './task.ts';

/** Others that write to the run or delegate in it meanwhile are few; more tries than this mean that something is wrong. */
const MAX_TRIES = 12;

/**
 * Ends a run that cannot go on, whatever its stage: nothing of it is left waiting. Whoever adds tasks to a run writes its record
 * too, and what is delegated has a live parent: so the end is that of the very record that was read before a look at its tasks
 * that found none live.
 * @throws PenstockError `conflict`, to be tried again, where the run kept changing.
 */
export async function failRun(
  ports: SettlePorts,
  { tenant, id }: { tenant: string; id: string },
  reason: EndReason,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const known = await ports.store.get(refs.run(tenant, id));
    if (known === undefined || isTerminal(known.data.stage) || known.data.stage === 'cancelling') return;
    const tasks = await readTasks(ports.store, tenant, id);
    const live = tasks.filter((task) => task.live);
    for (const task of live) await withdraw(ports, task, reason);
    if (live.length === 0)
      await endRun(ports, known.data, 'failed', { reason, tasks, known, onlyAsKnown: true });
  }
  throw new PenstockError('conflict', `run ${id} kept changing while it was to fail; try again`, {
    retry: 'later',
  });
}

async function withdraw(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  { tenant, run, id }: Task,
  { code }: EndReason,
): Promise<void> {
  const at = clock.now();
  await change(store, refs.task(tenant, run, id), (current) =>
    current.live ? { data: withdrawn(current, { at, by: 'engine', note: code }) } : undefined,
  );
}
