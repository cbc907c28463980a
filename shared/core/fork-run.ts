import { MAX_STORED_TEXT_BYTES, sanitiseText, storedBytes } from './intake/sanitise-text.ts';
import { planSourceOf, readPlan, type StoredPlan } from './plan/stored-plan.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { plannedOf } from './plan/reused-tasks.ts';
import { readOldRun, repeatRun, type RepeatRequest, reusableTasks, wasExecuted } from './repeat-run.ts';
import type { Run } from './run.ts';
import { readTasks } from './run-tasks.ts';
import { idempotencyOf, type SubmitPorts } from './submit-run.ts';
import type { Task } from './task.ts';

/** From which task, and what it is told instead. */
export interface ForkRequest extends RepeatRequest {
  task: string;
  instructions?: string;
}

/**
 * A new run from a chosen task: that task and everything behind it are done again, all else that succeeded is taken over. A
 * delegated task stands for the one of the plan that it was delegated for.
 * @throws PenstockError `conflict` for a run whose plan was not executed, `not_found` for a task that is not of its plan.
 */
export async function forkRun(
  ports: SubmitPorts,
  request: ForkRequest,
): Promise<{ run: Run; duplicate: boolean }> {
  const { actor, key } = request;
  const old = await readOldRun(ports, request);
  const source = planSourceOf(old);
  if (source === undefined || !wasExecuted(old)) {
    throw new PenstockError(
      'conflict',
      `run ${old.id} has no plan that was executed, so there is no task to fork from; retry it, or submit it again`,
    );
  }
  const plan = await readPlan(ports, source);
  const before = await readTasks(ports.store, old.tenant, old.id);
  const chosen = chosenTask(plan, before, request);
  const instructions = request.instructions === undefined ? undefined : checked(request.instructions);
  const tasks = plan.tasks.map((task) =>
    task.id === chosen && instructions !== undefined ? { ...task, instructions } : task,
  );
  const reuse = reusableTasks(tasks, before, [chosen]);
  const body = { run: old.id, task: request.task, instructions: instructions ?? null };
  return repeatRun(
    ports,
    { old, actor },
    { plan: { ...plan, tasks }, reuse },
    idempotencyOf('fork', key, body),
  );
}

function chosenTask(plan: StoredPlan, tasks: Task[], { run, task, instructions }: ForkRequest): string {
  const chosen = plannedOf(new Map(tasks.map((each) => [each.id, each])), task);
  if (!plan.tasks.some(({ id }) => id === chosen)) {
    throw new PenstockError(
      'not_found',
      `the plan of run ${run} has no task ${JSON.stringify(task.slice(0, 80))}; GET /api/runs/${run}/plan shows it`,
    );
  }
  if (instructions === undefined || chosen === task) return chosen;
  throw new PenstockError(
    'conflict',
    `task ${task} was delegated, so it has no instructions to replace; fork from ${chosen}`,
  );
}

function checked(text: string): string {
  const instructions = sanitiseText(text);
  if (instructions === '') throw new PenstockError('invalid', 'the instructions have no visible text');
  if (storedBytes(instructions) <= MAX_STORED_TEXT_BYTES) return instructions;
  throw new PenstockError(
    'too_large',
    `the instructions have ${storedBytes(instructions)} bytes; ${MAX_STORED_TEXT_BYTES} are allowed`,
  );
}
