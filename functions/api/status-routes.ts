import { listAgents } from '../../shared/core/agent-registry/list-agents.ts';
import { autonomyOf } from '../../shared/core/views/autonomy.ts';
import { decisionsOf, runsOf } from '../../shared/core/refs.ts';
import { isTerminal } from '../../shared/core/run.ts';
import { stages } from '../../shared/messages/stages.ts';
import { openApiDocument } from '../../shared/messages/openapi.ts';
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
    const ended = counts.filter(([stage]) => isTerminal(stage));
    const openDecisions = await store.count({
      from: { collection: decisionsOf(context.var.caller.tenant) },
      where: [{ field: 'state', op: '==', value: 'open' }],
    });
    return context.json({
      version: policy.version,
      model: { provider: model.provider, simulated: model.provider === 'script' },
      runs: Object.fromEntries(counts),
      liveRuns: live.reduce((sum, [, count]) => sum + count, 0),
      openDecisions,
      autonomy: await autonomyOf(store, context.var.caller.tenant, ended),
      agents: agents.size,
    });
  });

  app.get('/api/agents', async (context) =>
    context.json({ items: await listAgents(ports, context.var.caller.tenant) }),
  );

  app.get('/health', async (context) => {
    // A store that cannot be read makes this a problem.
    await store.count({ from: { collection: runsOf(context.var.caller.tenant) } });
    return context.json({ status: 'ok', version: policy.version });
  });

  app.get('/openapi.json', (context) => context.json(document));
}
