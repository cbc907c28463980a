import type { Agent } from '../../messages/agent-file.ts';

type Agents = ReadonlyMap<string, Agent>;

/** Agents that a plan may name and that can do this, by name; the first stands for the task in its plan. */
export function agentsWith(capability: string, agents: Agents): Agent[] {
  const wanted = normal(capability);
  return [...agents.values()]
    .filter(
      (agent) =>
        agent.category !== 'platform' && agent.capabilities.some((known) => normal(known) === wanted),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Those that may stand in for one another: a task keeps its lane, its pool and the kind of its result whoever does it. */
export function candidatesFor(capability: string, agents: Agents): Agent[] {
  const [first, ...others] = agentsWith(capability, agents);
  if (first === undefined) return [];
  const isAlike = (other: Agent) =>
    other.lane === first.lane && other.category === first.category && other.result === first.result;
  return [first, ...others.filter(isAlike)];
}

/** The capabilities that a plan may name, sorted. */
export function capabilitiesOf(agents: Agents): string[] {
  const all = [...agents.values()].flatMap(({ category, capabilities }) =>
    category === 'platform' ? [] : capabilities,
  );
  return [...new Set(all)].toSorted();
}

function normal(capability: string): string {
  return capability.trim().toLowerCase();
}
