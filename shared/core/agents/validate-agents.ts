import type { Agent } from '../../messages/agent-file.ts';
import { parseAgentFile, type AgentFile, type AgentFileReason } from './parse-agent-file.ts';

export type ValidatedAgents = { agents: Agent[] } | { reasons: AgentFileReason[] };

/** All agents of a folder in order of name, or every reason of every file at once. */
export function validateAgents(files: AgentFile[]): ValidatedAgents {
  const parsed = files.map((file) => ({ file, result: parseAgentFile(file) }));
  const reasons = parsed.flatMap(({ result }) => ('reasons' in result ? result.reasons : []));
  // A file that could not be read still names its agent: one broken file must not make its neighbours look broken.
  const known = new Set(files.map(({ file }) => file.replace(/\.md$/, '')));
  for (const { file, result } of parsed) {
    if ('agent' in result) reasons.push(...unknownNames(file, result.agent, known));
  }
  if (reasons.length > 0) return { reasons };
  const agents = parsed.flatMap(({ result }) => ('agent' in result ? [result.agent] : []));
  return { agents: agents.toSorted((a, b) => a.name.localeCompare(b.name, 'en')) };
}

function unknownNames({ file, text }: AgentFile, agent: Agent, known: Set<string>): AgentFileReason[] {
  return (['next_agents', 'dependencies'] as const).flatMap((field) =>
    agent[field]
      .filter((name) => !known.has(name))
      .map((name) => ({
        file,
        line: lineOfName(text, field, name),
        message: `${field}: there is no agent ${name}`,
      })),
  );
}

function lineOfName(text: string, field: string, name: string): number {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${field}:`));
  const offset = lines.slice(start).findIndex((line) => new RegExp(`\\b${name}\\b`).test(line));
  return start + Math.max(offset, 0) + 1;
}
