import { openDecisionsOf } from '../../shared/core/decisions/read-decisions.ts';
import { planSourceOf, readPlan } from '../../shared/core/plan/stored-plan.ts';
import { runsOf } from '../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import { costView } from '../../shared/core/views/cost-view.ts';
import { runView } from '../../shared/core/views/run-view.ts';
import { diffQuery, runsQuery } from '../../shared/messages/run-view.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp } from './api-env.ts';
import { addControlRoutes } from './control-routes.ts';
import { findRun, readTask } from './find-run.ts';
import { integratedTask, readDiff } from './read-diff.ts';

/** Of one answer; git and the artifact have the rest. */
const MAX_DIFF_BYTES = 1024 * 1024;

export function addRunRoutes(app: ApiApp, runtime: Runtime): void {
  const { ports } = runtime;
  const { store } = ports;
  addControlRoutes(app, runtime);

  app.get('/api/runs', async (context) => {
    const { limit, cursor, stage } = runsQuery.parse(context.req.query());
    const page = await store.query<Run>({
      from: { collection: runsOf(context.var.caller.tenant) },
      ...(stage === undefined ? {} : { where: [{ field: 'stage', op: '==', value: stage }] }),
      orderBy: { field: 'createdAt', direction: 'desc' },
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return context.json({
      items: page.documents.map(({ data }) => runView(data)),
      ...(page.cursor === undefined ? {} : { next: page.cursor }),
    });
  });

  app.get('/api/runs/:id', async (context) => {
    const run = await findRun(store, context);
    const decisions = isTerminal(run.stage) ? [] : await openDecisionsOf(store, run.tenant, run.id);
    return context.json({ ...runView(run), ...(decisions.length === 0 ? {} : { decisions }) });
  });

  app.get('/api/runs/:id/plan', async (context) => {
    const run = await findRun(store, context);
    const source = planSourceOf(run);
    if (run.plan === undefined || source === undefined) {
      throw new PenstockError('not_found', `run ${run.id} has no plan; it is ${run.stage}`);
    }
    const { summary, tasks } = await readPlan(ports, source);
    return context.json({ hash: run.plan.hash, summary, tasks });
  });

  app.get('/api/runs/:id/cost', async (context) => {
    const run = await findRun(store, context);
    return context.json(costView(run, await readTasks(store, run.tenant, run.id)));
  });

  app.get('/api/runs/:id/diff', async (context) => {
    const run = await findRun(store, context);
    const { task: id } = diffQuery.parse(context.req.query());
    const task =
      id === undefined
        ? integratedTask(await readTasks(store, run.tenant, run.id))
        : await readTask(store, run, id);
    const text = task === undefined ? undefined : await readDiff(ports.blobs, task, MAX_DIFF_BYTES);
    if (text !== undefined) return context.text(text);
    const what =
      id === undefined
        ? 'nothing integrated yet; ?task= shows the change of one task'
        : `no change of task ${id}`;
    throw new PenstockError('not_found', `run ${run.id} has ${what}`);
  });
}
