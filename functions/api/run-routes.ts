import { createHash } from 'node:crypto';
import { cancelRun } from '../../shared/core/cancel-run.ts';
import { readPlan } from '../../shared/core/plan/accept-plan.ts';
import { runsOf } from '../../shared/core/refs.ts';
import type { Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import { costView } from '../../shared/core/views/cost-view.ts';
import { runView } from '../../shared/core/views/run-view.ts';
import { diffQuery, runsQuery } from '../../shared/messages/run-view.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp, ApiContext } from './api-env.ts';
import { findRun, readTask } from './find-run.ts';
import { integratedTask, readDiff } from './read-diff.ts';

/** Of one answer; git and the artifact have the rest. */
const MAX_DIFF_BYTES = 1024 * 1024;

export function addRunRoutes(app: ApiApp, { ports }: Runtime): void {
  const { store } = ports;

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

  app.get('/api/runs/:id', async (context) => context.json(runView(await findRun(store, context))));

  app.get('/api/runs/:id/plan', async (context) => {
    const run = await findRun(store, context);
    if (run.plan === undefined) {
      throw new PenstockError('not_found', `run ${run.id} has no plan; it is ${run.stage}`);
    }
    const { summary, tasks } = await readPlan(ports, run.plan.key);
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

  app.post('/api/runs/:id/cancel', async (context) => {
    const run = await findRun(store, context);
    await checkBody(context);
    const { tenant, actor } = context.var.caller;
    return context.json(runView(await cancelRun(ports, tenant, run.id, nameForRecord(actor))), 202);
  });
}

/** Nothing of it is used, but what is not JSON was meant for another route. */
async function checkBody(context: ApiContext): Promise<void> {
  const text = await context.req.text();
  if (text === '') return;
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new PenstockError('invalid', 'the body is not JSON; send {}', { cause });
  }
}

/** The record outlives an erasure, so an e-mail address stands in it by hash. */
function nameForRecord(actor: string): string {
  if (!actor.includes('@')) return actor;
  return `person ${createHash('sha256').update(actor).digest('hex').slice(0, 12)}`;
}
