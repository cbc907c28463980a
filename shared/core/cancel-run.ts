import { advanceRun, canAdvance } from './advance-run.ts';
import { change } from './change.ts';
import { cancelDriver } from './drivers/start-driver.ts';
import { withdrawn } from './ended-attempt.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { isTerminal, type Run, touched } from './run.ts';
import { readTasks } from './run-tasks.ts';
import { settleRun } from './settle-run.ts';
import { currentAttempt, isUnderWay, type Task } from './task.ts';

type CancelPorts = Pick<
  Ports,
  'store' | 'queue' | 'clock' | 'log' | 'jobs' | 'memory' | 'trace' | 'workflows'
>;

/** Asks a run to stop. Repeating it is fine; an ended run stays as it ended. */
export async function cancelRun(ports: CancelPorts, tenant: string, id: string, by: string): Promise<Run> {
  const { data: run } = await change(ports.store, refs.run(tenant, id), (current) => {
    if (!canAdvance(current.stage, 'cancelling')) return undefined;
    const reason = { code: 'cancelled', message: `cancelled by ${by}` };
    return {
      data: advanceRun(touched(current), 'cancelling', { at: ports.clock.now(), by: 'cancel', reason }),
    };
  });
  if (isTerminal(run.stage) && run.stage !== 'cancelled') {
    throw new PenstockError('conflict', `run ${id} has already ${run.stage}; there is nothing to cancel`);
  }
  if (run.stage === 'cancelling') await cancelDriver(ports, run);
  await continueCancel(ports, tenant, id);
  return (await ports.store.get(refs.run(tenant, id)))?.data ?? run;
}

/** Until nothing is live: what waits is cancelled, what runs is told to stop. Called again by the sweep. */
export async function continueCancel(ports: CancelPorts, tenant: string, id: string): Promise<void> {
  const tasks = (await readTasks(ports.store, tenant, id)).filter((task) => task.live);
  await Promise.all(tasks.map((task) => cancelTask(ports, task)));
  await settleRun(ports, tenant, id);
}

/** A failed attempt waits for its next one, or for a person: in a run that is being cancelled there is none, and nobody is asked. */
export async function cancelRetry(ports: CancelPorts, { tenant, run, state, attempts }: Task): Promise<void> {
  if ((state !== 'pending' && state !== 'blocked') || attempts.length === 0) return;
  const found = await ports.store.get(refs.run(tenant, run));
  if (found?.data.stage === 'cancelling') await continueCancel(ports, tenant, run);
}

async function cancelTask(ports: CancelPorts, task: Task): Promise<void> {
  let hasJob = false;
  const { data } = await change(ports.store, refs.task(task.tenant, task.run, task.id), (current) => {
    hasJob = current.lane === 'job' && isUnderWay(current);
    if (!current.live) return undefined;
    // It stops at its next renewal; held, it gets no next attempt before.
    if (current.state === 'running') return current.held ? undefined : { data: { ...current, held: true } };
    return {
      data: withdrawn(current, { at: ports.clock.now(), by: 'cancel', note: 'the run was cancelled' }),
    };
  });
  const generation = currentAttempt(data)?.generation;
  if (hasJob && generation !== undefined) {
    await ports.jobs.cancel({ tenant: data.tenant, run: data.run, task: data.id, generation });
  }
}
