import { planSourceOf, readPlan } from './plan/stored-plan.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import {
  type Inheritance,
  readOldRun,
  repeatRun,
  type RepeatRequest,
  reusableTasks,
  wasExecuted,
} from './repeat-run.ts';
import { isTerminal, type Run } from './run.ts';
import { readTasks } from './run-tasks.ts';
import { idempotencyOf, type SubmitPorts } from './submit-run.ts';

/**
 * A new run in place of one that has ended: it takes over what succeeded, and repeats the rest and everything behind it. One
 * that came to no tasks is submitted again as it was.
 * @throws PenstockError `conflict` for a run that has not ended.
 */
export async function retryRun(
  ports: SubmitPorts,
  request: RepeatRequest,
): Promise<{ run: Run; duplicate: boolean }> {
  const old = await readOldRun(ports, request);
  if (!isTerminal(old.stage)) {
    throw new PenstockError(
      'conflict',
      `run ${old.id} is ${old.stage}; wait until it has ended, or cancel it`,
    );
  }
  const options = idempotencyOf('retry', request.key, { run: old.id });
  return repeatRun(ports, { old, actor: request.actor }, await inheritanceOf(ports, old), options);
}

async function inheritanceOf(ports: SubmitPorts, old: Run): Promise<Inheritance> {
  const source = wasExecuted(old) ? planSourceOf(old) : old.givenPlan?.source;
  if (source === undefined) return { reuse: [] };
  const plan = await readPlan(ports, source);
  const tasks = await readTasks(ports.store, old.tenant, old.id);
  const again = tasks.filter(({ state }) => state !== 'succeeded').map(({ id }) => id);
  return { plan, reuse: reusableTasks(plan.tasks, tasks, again) };
}
