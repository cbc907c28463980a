import { cancelRun } from '../../shared/core/cancel-run.ts';
import { forkRun } from '../../shared/core/fork-run.ts';
import { pauseRun } from '../../shared/core/pause-run.ts';
import type { RepeatRequest } from '../../shared/core/repeat-run.ts';
import { resumeRun } from '../../shared/core/resume-run.ts';
import { retryRun } from '../../shared/core/retry-run.ts';
import { acceptedRunView } from '../../shared/core/views/accepted-run-view.ts';
import { runView } from '../../shared/core/views/run-view.ts';
import { forkBody } from '../../shared/messages/fork-body.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { readJson } from '../../shared/runtime/http-door.ts';
import type { ApiApp, ApiContext } from './api-env.ts';
import { checkBody } from './check-body.ts';
import { findRun } from './find-run.ts';
import { nameForRecord } from '../../shared/core/name-for-record.ts';

/** What people do to a run that is there; the run itself tells who asked. */
export function addControlRoutes(app: ApiApp, { ports }: Runtime): void {
  for (const [verb, change] of [
    ['cancel', cancelRun],
    ['pause', pauseRun],
    ['resume', resumeRun],
  ] as const) {
    app.post(`/api/runs/:id/${verb}`, async (context) => {
      const run = await findRun(ports.store, context);
      await checkBody(context);
      const by = nameForRecord(context.var.caller.actor);
      return context.json(runView(await change(ports, run.tenant, run.id, by)), 202);
    });
  }

  app.post('/api/runs/:id/retry', async (context) => {
    const request = await requestOf(context);
    await checkBody(context);
    return context.json(acceptedRunView(await retryRun(ports, request)), 202);
  });

  app.post('/api/runs/:id/fork', async (context) => {
    const request = await requestOf(context);
    const { task, instructions } = forkBody.parse(await readJson(context));
    const chosen = { task, ...(instructions === undefined ? {} : { instructions }) };
    return context.json(acceptedRunView(await forkRun(ports, { ...request, ...chosen })), 202);
  });

  async function requestOf(context: ApiContext): Promise<RepeatRequest> {
    const { tenant, id } = await findRun(ports.store, context);
    const key = context.req.header('idempotency-key');
    const { actor } = context.var.caller;
    return { tenant, run: id, actor, ...(key === undefined ? {} : { key }) };
  }
}
