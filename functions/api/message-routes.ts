import { mailOf, type MailRecord } from '../../shared/core/refs.ts';
import { steerRun } from '../../shared/core/steer-run.ts';
import { idempotencyOf } from '../../shared/core/submit-run.ts';
import { isoTime } from '../../shared/core/views/iso-time.ts';
import { listQuery } from '../../shared/messages/run-view.ts';
import { steeringBody, type SteeringView } from '../../shared/messages/steering.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { readJson } from '../../shared/runtime/http-door.ts';
import type { ApiApp } from './api-env.ts';
import { findRun } from './find-run.ts';
import { nameForRecord } from '../../shared/core/name-for-record.ts';

/** What people say to a run's agents, and what these say to each other. */
export function addMessageRoutes(app: ApiApp, { ports }: Runtime): void {
  app.post('/api/runs/:id/messages', async (context) => {
    const run = await findRun(ports.store, context);
    const { text } = steeringBody.parse(await readJson(context));
    const { idempotency } = idempotencyOf('message', context.req.header('idempotency-key'), text);
    const by = nameForRecord(context.var.caller.actor);
    const said = { text, by, ...(idempotency === undefined ? {} : { key: idempotency.key }) };
    const { keyHash: _private, ...message } = await steerRun(ports, run, said);
    const view: SteeringView = { run: run.id, ...message, at: isoTime(message.at) };
    return context.json(view, 202);
  });

  app.get('/api/runs/:id/messages', async (context) => {
    const run = await findRun(ports.store, context);
    const { limit, cursor } = listQuery.parse(context.req.query());
    const page = await ports.store.query<MailRecord>({
      from: { collection: mailOf(run.tenant, run.id) },
      orderBy: { field: 'seq' },
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return context.json({
      items: page.documents.map(({ data }) => data.message),
      ...(page.cursor === undefined ? {} : { next: page.cursor }),
    });
  });
}
