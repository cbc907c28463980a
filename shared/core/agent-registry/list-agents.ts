import type { AgentView } from '../../messages/run-view.ts';
import { agentCircuit, type Circuit } from '../circuits/circuit.ts';
import type { Ports } from '../ports.ts';
import { isoTime } from '../views/iso-time.ts';
import { agentView } from '../views/status-view.ts';
import { agentLoad } from './agent-load.ts';

/** The registry as a tenant sees it (000-03): every agent, whether it works, and what it has to do. */
export async function listAgents(
  ports: Pick<Ports, 'store' | 'agents' | 'circuits'>,
  tenant: string,
): Promise<AgentView[]> {
  return Promise.all(
    [...ports.agents.values()].map(async (agent) => {
      const [circuit, load] = await Promise.all([
        ports.circuits.read(agentCircuit(tenant, agent.name)),
        agentLoad(ports, tenant, agent.name),
      ]);
      return { ...agentView(agent), health: healthOf(circuit), load };
    }),
  );
}

const states = { closed: 'healthy', half_open: 'probing', open: 'open' } as const;

function healthOf(circuit: Circuit | undefined): AgentView['health'] {
  if (circuit === undefined) return { state: 'healthy' };
  const { state, since, reason } = circuit;
  const health = { state: states[state], since: isoTime(since) };
  return state === 'closed' ? health : { ...health, reason };
}
