import { agentCircuit } from '../circuits/circuit.ts';
import type { Ports } from '../ports.ts';
import { type Task, taskPath } from '../task.ts';
import { runningOf } from './agent-load.ts';
import { candidatesFor } from './candidates.ts';

type PickPorts = Pick<Ports, 'store' | 'clock' | 'agents' | 'circuits' | 'memory'>;

/** How long a pick counts as a running attempt although no record may show it yet. */
const PICK_MS = 2_000;

/**
 * Who does a task's next attempt. A task that names its agent keeps it, at no cost. One that names a capability goes to an
 * agent whose circuit is closed, then to the one with the fewest running attempts (003-102), then by name; no agent is kept
 * for the next time.
 */
export async function pickAgent(ports: PickPorts, task: Task): Promise<string> {
  if (task.capability === undefined) return task.agent;
  const candidates = candidatesFor(task.capability, ports.agents).map(({ name }) => name);
  const [only, ...others] = candidates;
  if (only === undefined || others.length === 0) return only ?? task.agent;
  const ranked = await Promise.all(candidates.map((agent) => rank(ports, task, agent)));
  // All look before any picks: from here to the pick nothing waits, so picks of the same moment see each other.
  const own = taskPath(task);
  ports.memory.picked.delete(own);
  const picked = recentPicks(ports);
  const [best] = ranked
    .map((each) => ({ ...each, running: each.running + (picked.get(pickKey(task.tenant, each.agent)) ?? 0) }))
    .toSorted(byRank);
  const agent = best?.agent ?? only;
  ports.memory.picked.set(own, { agent: pickKey(task.tenant, agent), at: ports.clock.now() });
  return agent;
}

interface Rank {
  agent: string;
  /** 0 while its circuit is closed; otherwise when it may be tried, so that of broken ones the first is. */
  brokenUntil: number;
  running: number;
}

async function rank(ports: PickPorts, { tenant }: Task, agent: string): Promise<Rank> {
  const circuit = await ports.circuits.read(agentCircuit(tenant, agent));
  const brokenUntil = circuit === undefined || circuit.state === 'closed' ? 0 : circuit.retryAt;
  return { agent, brokenUntil, running: await runningOf(ports, tenant, agent) };
}

function byRank(a: Rank, b: Rank): number {
  return a.brokenUntil - b.brokenUntil || a.running - b.running || (a.agent < b.agent ? -1 : 1);
}

function recentPicks({ clock, memory }: Pick<PickPorts, 'clock' | 'memory'>): Map<string, number> {
  const counts = new Map<string, number>();
  const now = clock.now();
  for (const [task, { agent, at }] of memory.picked) {
    if (now - at > PICK_MS) memory.picked.delete(task);
    else counts.set(agent, (counts.get(agent) ?? 0) + 1);
  }
  return counts;
}

function pickKey(tenant: string, agent: string): string {
  return `${tenant}/${agent}`;
}
