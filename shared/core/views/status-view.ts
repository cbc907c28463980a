import type { Agent } from '../../messages/agent-file.ts';
import type { AgentView, DeadLetterView } from '../../messages/run-view.ts';
import type { DeadLetter } from '../refs.ts';
import { isoTime } from './iso-time.ts';

/** An agent without its prompts. */
export function agentView(agent: Agent): AgentView {
  const { name, category, type, description, capabilities, lane, tier, tools, contentHash } = agent;
  return { name, category, type, description, capabilities, lane, tier, tools, contentHash };
}

export function deadLetterView(id: string, letter: DeadLetter): DeadLetterView {
  const { topic, subscription, messageId, message, error, at } = letter;
  return { id, topic, subscription, messageId, message, error, at: isoTime(at) };
}
