import { UNDER_WAY } from '../task.ts';
import type { Scalar, Store } from '../../ports/store.ts';

/** Nobody needs to know how far above this it is. */
export const MAX_COUNTED = 1_000;

/** Attempts under way, and tasks that wait for capacity or time. */
export interface AgentLoad {
  running: number;
  waiting: number;
}

/** What a tenant's agent has to do now, from its tasks' own records; each number at most {@link MAX_COUNTED}. */
export async function agentLoad(
  ports: { store: Pick<Store, 'count'> },
  tenant: string,
  agent: string,
): Promise<AgentLoad> {
  const [running, waiting] = await Promise.all([
    runningOf(ports, tenant, agent),
    countTasks(ports, { tenant, agent, states: ['ready'] }),
  ]);
  return { running, waiting };
}

/** Its attempts that hold a place: running, or being started. */
export function runningOf(
  ports: { store: Pick<Store, 'count'> },
  tenant: string,
  agent: string,
): Promise<number> {
  return countTasks(ports, { tenant, agent, states: UNDER_WAY });
}

function countTasks(
  { store }: { store: Pick<Store, 'count'> },
  { tenant, agent, states }: { tenant: string; agent: string; states: Scalar[] },
): Promise<number> {
  return store.count({
    from: { group: 'tasks' },
    where: [
      { field: 'tenant', op: '==', value: tenant },
      { field: 'agent', op: '==', value: agent },
      { field: 'state', op: 'in', value: states },
    ],
    upTo: MAX_COUNTED,
  });
}
