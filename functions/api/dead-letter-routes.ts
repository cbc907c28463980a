import { createHash } from 'node:crypto';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import { discardDeadLetter } from '../../shared/core/discard-dead-letter.ts';
import { findDeadLetter } from '../../shared/core/find-dead-letter.ts';
import { lettersOf } from '../../shared/core/refs.ts';
import { replayDeadLetter } from '../../shared/core/replay-dead-letter.ts';
import { deadLetterView } from '../../shared/core/views/dead-letter-view.ts';
import { lettersQuery } from '../../shared/messages/dead-letter.ts';
import type { Caller } from '../../shared/ports/identity.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp } from './api-env.ts';
import { checkBody } from './check-body.ts';
import { nameForRecord } from '../../shared/core/name-for-record.ts';

export function addDeadLetterRoutes(app: ApiApp, { ports }: Runtime): void {
  const { store } = ports;

  app.get('/api/dead-letters', async (context) => {
    const { limit, cursor, state } = lettersQuery.parse(context.req.query());
    const page = await store.query<DeadLetter>({
      from: { collection: lettersOf(context.var.caller.tenant) },
      ...(state === undefined ? {} : { where: [{ field: 'state', op: '==', value: state }] }),
      orderBy: { field: 'at', direction: 'desc' },
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return context.json({
      items: page.documents.map(({ ref, data }) => deadLetterView(ref.id, data)),
      ...(page.cursor === undefined ? {} : { next: page.cursor }),
    });
  });

  app.get('/api/dead-letters/:id', async (context) => {
    const id = context.req.param('id');
    const letter = await findDeadLetter(store, context.var.caller.tenant, id);
    return context.json(deadLetterView(id, letter));
  });

  app.post('/api/dead-letters/:id/replay', async (context) => {
    const { tenant, actor } = requireOperator(context.var.caller);
    await checkBody(context);
    const id = context.req.param('id');
    const key = context.req.header('idempotency-key');
    const request = {
      tenant,
      id,
      by: nameForRecord(actor),
      ...(key === undefined ? {} : { key: createHash('sha256').update(key).digest('hex') }),
    };
    return context.json(deadLetterView(id, await replayDeadLetter(ports, request)), 202);
  });

  app.post('/api/dead-letters/:id/discard', async (context) => {
    const { tenant, actor } = requireOperator(context.var.caller);
    await checkBody(context);
    const id = context.req.param('id');
    const letter = await discardDeadLetter(ports, { tenant, id, by: nameForRecord(actor) });
    return context.json(deadLetterView(id, letter), 202);
  });
}

/** Developers read; what tries again or gives up for good is an operator's. */
function requireOperator(caller: Caller): Caller {
  if (caller.roles.includes('operator')) return caller;
  throw new PenstockError(
    'forbidden',
    `${caller.actor} is not an operator of this tenant; ask its team admin for the role`,
  );
}
