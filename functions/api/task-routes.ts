import type { Context } from 'hono';
import { deleteTaskRun } from '../../shared/core/deletion/delete-task-run.ts';
import { findTaskRun } from '../../shared/core/find-task-run.ts';
import { refs, runsOf, tasksOf } from '../../shared/core/refs.ts';
import type { Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import type { Task } from '../../shared/core/task.ts';
import { taskRunView } from '../../shared/core/views/task-run-view.ts';
import { attemptView, taskView } from '../../shared/core/views/task-view.ts';
import { runId } from '../../shared/messages/identifiers.ts';
import { listQuery, tasksQuery } from '../../shared/messages/run-view.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp } from './api-env.ts';
import { findRun, findTask, noRun } from './find-run.ts';

/** Whose live tasks `GET /api/tasks` shows. */
const NEWEST_RUNS = 20;

export function addTaskRoutes(app: ApiApp, { ports }: Runtime): void {
  const { store } = ports;

  app.get('/api/tasks', async (context) => {
    const { tenant } = context.var.caller;
    const { run, ...list } = tasksQuery.parse(context.req.query());
    if (run === undefined) {
      const tasks = await liveTasks(store, tenant);
      return context.json({ items: tasks.slice(0, list.limit).map(taskView) });
    }
    const found = runId.safeParse(run).success ? await store.get(refs.run(tenant, run)) : undefined;
    if (found === undefined) throw noRun(run);
    return tasksPage(store, context, found.data);
  });

  app.get('/api/runs/:id/tasks', async (context) => tasksPage(store, context, await findRun(store, context)));

  app.get('/api/runs/:id/tasks/:task/attempts', async (context) => {
    const task = await findTask(store, context);
    return context.json({ items: task.attempts.map((attempt) => attemptView(task, attempt)) });
  });

  app.get('/api/v1/taskruns/:name', async (context) => {
    const { tenant } = context.var.caller;
    const run = await findTaskRun(store, tenant, context.req.param('name'));
    return context.json(taskRunView(run, await readTasks(store, tenant, run.id)));
  });

  app.delete('/api/v1/taskruns/:name', async (context) => {
    const { tenant } = context.var.caller;
    const run = await deleteTaskRun(ports, tenant, context.req.param('name'));
    return context.json(taskRunView(run, await readTasks(store, tenant, run.id)), 202);
  });
}

async function tasksPage(store: Store, context: Context, run: Run): Promise<Response> {
  const { limit, cursor } = listQuery.parse(context.req.query());
  const page = await store.query<Task>({
    from: { collection: tasksOf(run.tenant, run.id) },
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
  return context.json({
    items: page.documents.map(({ data }) => taskView(data)),
    ...(page.cursor === undefined ? {} : { next: page.cursor }),
  });
}

/** Of the newest runs only, so that an idle question stays cheap. */
async function liveTasks(store: Store, tenant: string): Promise<Task[]> {
  const newest = await store.query<Run>({
    from: { collection: runsOf(tenant) },
    orderBy: { field: 'createdAt', direction: 'desc' },
    limit: NEWEST_RUNS,
  });
  const open = newest.documents.filter(({ data }) => data.endedAt === undefined);
  const tasks = await Promise.all(open.map(({ data }) => readTasks(store, tenant, data.id)));
  return tasks.flat().filter((task) => task.live);
}
