import { decide, noDecision } from '../../shared/core/decisions/decide.ts';
import { readDecisions, viewsOf } from '../../shared/core/decisions/read-decisions.ts';
import { sanitiseText } from '../../shared/core/intake/sanitise-text.ts';
import { refs } from '../../shared/core/refs.ts';
import { type DecisionBody, decisionBody, decisionsQuery } from '../../shared/messages/decision.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { readJson } from '../../shared/runtime/http-door.ts';
import type { ApiApp } from './api-env.ts';
import { nameForRecord } from '../../shared/core/name-for-record.ts';

/** No id of a decision looks otherwise. */
const DECISION_ID = /^[a-z0-9]+$/;

export function addDecisionRoutes(app: ApiApp, { ports }: Runtime): void {
  const { store } = ports;

  app.get('/api/decisions', async (context) => {
    const { limit, cursor, state } = decisionsQuery.parse(context.req.query());
    const page = await readDecisions(store, context.var.caller.tenant, {
      ...(state === undefined ? {} : { where: [{ field: 'state', op: '==', value: state }] }),
      orderBy: { field: 'createdAt', direction: 'desc' },
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return context.json({
      items: page.views.filter((view) => state === undefined || view.state === state),
      ...(page.cursor === undefined ? {} : { next: page.cursor }),
    });
  });

  app.get('/api/decisions/:id', async (context) => {
    const id = knownForm(context.req.param('id'));
    const found = await store.get(refs.decision(context.var.caller.tenant, id));
    if (found === undefined) throw noDecision(id);
    const [view] = await viewsOf(store, [found.data]);
    return context.json(view);
  });

  app.post('/api/decisions', async (context) => {
    const body = decisionBody.parse(await readJson(context));
    const { tenant, actor } = context.var.caller;
    const named = { tenant, id: knownForm(body.decisionId) };
    const decided = await decide(ports, named, answerOf(body), nameForRecord(actor));
    const [view] = await viewsOf(store, [decided]);
    return context.json(view);
  });
}

function answerOf({ option, comment, budgetUsd }: DecisionBody) {
  return {
    option,
    ...(comment === undefined ? {} : { comment: sanitiseText(comment) }),
    ...(budgetUsd === undefined ? {} : { budgetMicroUsd: Math.round(budgetUsd * 1e6) }),
  };
}

function knownForm(id: string): string {
  if (!DECISION_ID.test(id)) throw noDecision(id);
  return id;
}
