import type { Context } from 'hono';
import { askStage } from '../../shared/core/drivers/ask-stage.ts';
import { claimRun } from '../../shared/core/drivers/claim-run.ts';
import { givePlan } from '../../shared/core/drivers/give-plan.ts';
import { noDecision } from '../../shared/core/decisions/decide.ts';
import { settleDueDecision } from '../../shared/core/decisions/settle-due-decisions.ts';
import { decisionDueView, driverView } from '../../shared/core/drivers/driver-view.ts';
import { giveTicket } from '../../shared/core/jobs/give-ticket.ts';
import { readJob } from '../../shared/core/jobs/job-view.ts';
import { reportJobEnd } from '../../shared/core/jobs/report-job-end.ts';
import { refs } from '../../shared/core/refs.ts';
import { askedStage, claimBody, drivenPlanBody, stageBody } from '../../shared/messages/driver.ts';
import { generation, runId, taskId, tenantId } from '../../shared/messages/identifiers.ts';
import { jobEndBody, ticketBody } from '../../shared/messages/job.ts';
import { TENANT_HEADER, type Identity } from '../../shared/ports/identity.ts';
import type { JobId } from '../../shared/ports/job-starter.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { HttpFunction } from '../../shared/runtime/functions.ts';
import { authenticateCaller, httpDoor, readJson, requireJson } from '../../shared/runtime/http-door.ts';

/** Of a plan with a few words for each of many tasks. */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * What a workflow may ask for: to drive a run, its next stage, and where the run stands; for the job of an attempt, its ticket and
 * its end. It is answered at once, and woken later.
 */
export const stages: HttpFunction = {
  name: 'stages',
  app: ({ ports, identity }) => {
    const app = httpDoor(ports, { name: 'stages', maxBodyBytes: MAX_BODY_BYTES, callers: 'our own' });
    app.get('/internal/runs/:id', async (context) => {
      const { tenant, run } = await runOf(identity, context);
      const found = await ports.store.get(refs.run(tenant, run));
      if (found === undefined) throw noRun(run);
      return context.json(driverView(found.data));
    });
    app.post('/internal/runs/:id/claim', async (context) => {
      const named = await runOf(identity, context);
      requireJson(context);
      const { execution } = claimBody.parse(await readJson(context));
      return context.json(driverView(await claimRun(ports, { ...named, execution })));
    });
    app.post('/internal/runs/:id/plan', async (context) => {
      const named = await runOf(identity, context);
      requireJson(context);
      const { execution, tasks } = drivenPlanBody.parse(await readJson(context));
      return context.json(driverView(await givePlan(ports, { ...named, execution }, { tasks })), 202);
    });
    app.post('/internal/runs/:id/stages/:stage', async (context) => {
      const named = await runOf(identity, context);
      requireJson(context);
      const stage = askedStage.parse(context.req.param('stage'));
      const body = stageBody.parse(await readJson(context));
      return context.json(driverView(await askStage(ports, { ...named, stage, ...body })), 202);
    });
    const attempt = '/internal/runs/:id/tasks/:task/attempts/:generation';
    app.get(attempt, async (context) => context.json(await readJob(ports, await jobOf(identity, context))));
    app.post(`${attempt}/ticket`, async (context) => {
      const job = await jobOf(identity, context);
      requireJson(context);
      const { execution } = ticketBody.parse(await readJson(context));
      return context.json(await giveTicket(ports, { ...job, execution }));
    });
    app.post(`${attempt}/ended`, async (context) => {
      const job = await jobOf(identity, context);
      requireJson(context);
      const { execution, ...end } = jobEndBody.parse(await readJson(context));
      return context.json(await reportJobEnd(ports, { ...job, execution }, end));
    });
    app.get('/internal/decisions/:id', async (context) => {
      const { tenant, id } = await decisionOf(identity, context);
      const found = await ports.store.get(refs.decision(tenant, id));
      if (found === undefined) throw noDecision(id);
      return context.json(decisionDueView(found.data, ports.clock.now()));
    });
    app.post('/internal/decisions/:id/due', async (context) => {
      const decision = await settleDueDecision(ports, await decisionOf(identity, context));
      return context.json(decisionDueView(decision, ports.clock.now()));
    });
    return app;
  },
};

async function runOf(identity: Identity, context: Context): Promise<{ tenant: string; run: string }> {
  const tenant = await tenantOf(identity, context);
  const run = runId.safeParse(context.req.param('id'));
  if (!run.success) throw noRun(context.req.param('id') ?? '');
  return { tenant, run: run.data };
}

async function jobOf(identity: Identity, context: Context): Promise<JobId> {
  const named = await runOf(identity, context);
  const task = taskId.safeParse(context.req.param('task'));
  const number = generation.safeParse(Number(context.req.param('generation')));
  if (task.success && number.success) return { ...named, task: task.data, generation: number.data };
  throw new PenstockError('not_found', `run ${named.run} has no such attempt; end this execution`);
}

/** No id of a decision looks otherwise. */
const DECISION_ID = /^[a-z0-9]{1,60}$/;

async function decisionOf(identity: Identity, context: Context): Promise<{ tenant: string; id: string }> {
  const tenant = await tenantOf(identity, context);
  const id = context.req.param('id') ?? '';
  if (!DECISION_ID.test(id)) throw noDecision(id);
  return { tenant, id };
}

/** Our own identities act in every tenant, so they name it; an operator acts in their own. */
async function tenantOf(identity: Identity, context: Context): Promise<string> {
  const caller = await authenticateCaller(identity, context, ['platform', 'operator']);
  const named = context.req.header(TENANT_HEADER);
  const isOurs = caller.roles.includes('platform') && named !== undefined;
  return isOurs ? tenantId.parse(named) : caller.tenant;
}

function noRun(id: string): PenstockError {
  return new PenstockError(
    'not_found',
    `there is no run ${JSON.stringify(id.slice(0, 40))}; end this execution`,
  );
}
