import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Task } from '../task.ts';

type VoidPorts = Pick<Ports, 'store' | 'clock'>;

/** Nobody is to answer what these tasks waited for: they have ended otherwise. Reads nothing for tasks that waited for nobody. */
export async function voidDecisions(ports: VoidPorts, tasks: readonly Task[]): Promise<void> {
  for (const { tenant, decision } of tasks) {
    if (decision !== undefined) await voidDecision(ports, tenant, decision);
  }
}

export async function voidDecision(ports: VoidPorts, tenant: string, id: string): Promise<void> {
  const endedAt = ports.clock.now();
  await change(ports.store, refs.decision(tenant, id), (decision) =>
    decision.state === 'open' ? { data: { ...decision, state: 'void' as const, endedAt } } : undefined,
  );
}
