import { change } from './change.ts';
import { withdrawn } from './ended-attempt.ts';
import { refs } from './refs.ts';
import { type EndReason, isTerminal } from './run.ts';
import { readTasks } from './run-tasks.ts';
import { endRun, type SettlePorts } from './settle-run.ts';

/** Ends a run that cannot go on, whatever its stage: nothing of it is left waiting. */
export async function failRun(
  ports: SettlePorts,
  run: { tenant: string; id: string },
  reason: EndReason,
): Promise<void> {
  const found = (await ports.store.get(refs.run(run.tenant, run.id)))?.data;
  if (found === undefined || isTerminal(found.stage) || found.stage === 'cancelling') return;
  const at = ports.clock.now();
  for (const task of await readTasks(ports.store, run.tenant, run.id)) {
    if (!task.live) continue;
    await change(ports.store, refs.task(run.tenant, run.id, task.id), (current) =>
      current.live ? { data: withdrawn(current, { at, by: 'engine', note: reason.code }) } : undefined,
    );
  }
  await endRun(ports, found, 'failed', { reason, tasks: await readTasks(ports.store, run.tenant, run.id) });
}
