import { type DeadLetter, runsOf } from '../../shared/core/refs.ts';
import { isTerminal } from '../../shared/core/run.ts';
import { stages } from '../../shared/messages/stages.ts';
import { agentView, deadLetterView } from '../../shared/core/views/status-view.ts';
import { openApiDocument } from '../../shared/messages/openapi.ts';
import { listQuery } from '../../shared/messages/run-view.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp } from './api-env.ts';

export function addStatusRoutes(app: ApiApp, { ports }: Runtime): void {
  const { store, agents, policy, model } = ports;
  const document = openApiDocument(policy.version);

  app.get('/api/status', async (context) => {
    const collection = runsOf(context.var.caller.tenant);
    const counts = await Promise.all(
      stages.map(async (stage) => {
        const where = [{ field: 'stage', op: '==' as const, value: stage }];
        return [stage, await store.count({ from: { collection }, where })] as const;
      }),
    );
    const live = counts.filter(([stage]) => !isTerminal(stage));
    return context.json({
      version: policy.version,
      model: { provider: model.provider, simulated: model.provider === 'script' },
      runs: Object.fromEntries(counts),
      liveRuns: live.reduce((sum, [, count]) => sum + count, 0),
      agents: agents.size,
    });
  });

  app.get('/api/agents', (context) => context.json({ items: [...agents.values()].map(agentView) }));

  app.get('/api/dead-letters', async (context) => {
    const { limit, cursor } = listQuery.parse(context.req.query());
    const page = await store.query<DeadLetter>({
      from: { collection: `tenants/${context.var.caller.tenant}/deadLetters` },
      orderBy: { field: 'at', direction: 'desc' },
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return context.json({
      items: page.documents.map(({ ref, data }) => deadLetterView(ref.id, data)),
      ...(page.cursor === undefined ? {} : { next: page.cursor }),
    });
  });

  app.get('/health', async (context) => {
    // A store that cannot be read makes this a problem.
    await store.count({ from: { collection: runsOf(context.var.caller.tenant) } });
    return context.json({ status: 'ok', version: policy.version });
  });

  app.get('/openapi.json', (context) => context.json(document));
}
