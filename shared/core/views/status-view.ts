import type { Agent } from '../../messages/agent-file.ts';
import type { AgentView } from '../../messages/run-view.ts';

/** An agent as its file defines it, without its prompts. */
export function agentView(agent: Agent): Omit<AgentView, 'health' | 'load'> {
  const { name, category, type, description, capabilities, lane, tier, tools, contentHash } = agent;
  return { name, category, type, description, capabilities, lane, tier, tools, contentHash };
}
