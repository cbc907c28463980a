import { refs } from '../../shared/core/refs.ts';
import type { Run } from '../../shared/core/run.ts';
import type { Task, TaskAttempt } from '../../shared/core/task.ts';
import { runId, taskId } from '../../shared/messages/identifiers.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { ApiContext } from './api-env.ts';

/** The run that the path names, if it is one of the caller's tenant. Throws `not_found`, whoever else it may belong to. */
export async function findRun(store: Store, context: ApiContext): Promise<Run> {
  const { tenant } = context.var.caller;
  const id = context.req.param('id') ?? '';
  const found = runId.safeParse(id).success ? await store.get(refs.run(tenant, id)) : undefined;
  if (found === undefined) throw noRun(id);
  return found.data;
}

export function noRun(id: string): PenstockError {
  return new PenstockError(
    'not_found',
    `there is no run ${JSON.stringify(id.slice(0, 40))}; GET /api/runs lists yours`,
  );
}

/** The task and attempt that the path names. */
export async function findAttempt(
  store: Store,
  context: ApiContext,
): Promise<{ task: Task; attempt: TaskAttempt }> {
  const task = await findTask(store, context);
  const generation = Number(context.req.param('n'));
  const attempt = task.attempts.find((candidate) => candidate.generation === generation);
  if (attempt !== undefined) return { task, attempt };
  const made = task.attempts.map((candidate) => candidate.generation).join(', ') || 'none';
  throw new PenstockError('not_found', `task ${task.id} has no such attempt; there are: ${made}`);
}

export async function findTask(store: Store, context: ApiContext): Promise<Task> {
  const run = await findRun(store, context);
  return readTask(store, run, context.req.param('task') ?? '');
}

export async function readTask(store: Store, run: Run, id: string): Promise<Task> {
  const found = taskId.safeParse(id).success ? await store.get(refs.task(run.tenant, run.id, id)) : undefined;
  if (found !== undefined) return found.data;
  const hint = `GET /api/runs/${run.id}/tasks lists them`;
  throw new PenstockError(
    'not_found',
    `run ${run.id} has no task ${JSON.stringify(id.slice(0, 80))}; ${hint}`,
  );
}
