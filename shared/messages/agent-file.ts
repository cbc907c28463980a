import { z } from 'zod';
import { agentName } from './identifiers.ts';

export const toolNames = [
  'list_files',
  'read_file',
  'write_file',
  'edit_file',
  'search',
  'shell',
  'run_tests',
  'git_diff',
] as const;
export type ToolName = (typeof toolNames)[number];

/** Tools towards the rest of the team; they need no workspace. */
export const teamToolNames = ['delegate_subtask', 'send_message'] as const;
export type TeamToolName = (typeof teamToolNames)[number];

/** Front matter of `shared/agents/<name>.md` (003-25..28, 003-85, 003-103). */
export const agentFrontMatter = z.strictObject({
  name: agentName,
  category: z.enum(['core', 'specialist', 'assessment', 'platform']),
  /** Provider profile of 004-24..28. */
  type: z.enum(['analyst', 'implementer', 'validator', 'integrator', 'reasoner']),
  description: z.string().min(1).max(300),
  capabilities: z.array(z.string()).min(1),
  dependencies: z.array(agentName).default([]),
  outputs: z.array(z.string()).min(1),
  lane: z.enum(['function', 'job']),
  /** What a work task of this agent yields: files of a change set, text for other tasks, or a verdict on the pull request. */
  result: z.enum(['change_set', 'text', 'review']),
  tier: z.enum(['fast', 'balanced', 'deep']),
  tools: z.array(z.enum([...toolNames, ...teamToolNames])).default([]),
  mcp_servers: z.array(z.string()).default([]),
  operations: z.array(z.enum(['read', 'write', 'execute'])).min(1),
  /** Globs below the checkout that its file tools reach. */
  paths: z.array(z.string()).min(1),
  resources: z.strictObject({ tier: z.enum(['standard', 'high']).default('standard') }).prefault({}),
  limits: z
    .strictObject({
      turns: z.int().min(1).max(200).default(40),
      minutes: z.number().positive().max(1_440).default(30),
      max_output_tokens: z.int().min(256).max(64_000).default(8_000),
    })
    .prefault({}),
  can_run_parallel: z.boolean().default(true),
  next_agents: z.array(agentName).default([]),
});
export type AgentFrontMatter = z.infer<typeof agentFrontMatter>;

export const agentSections = [
  'Context',
  'System instructions',
  'Task template',
  'Output',
  'Handoff',
] as const;

/** One agent: a role, as its Markdown file defines it. */
export interface Agent extends AgentFrontMatter {
  sections: Record<(typeof agentSections)[number], string>;
  /** SHA-256 of the file: which text an attempt ran with. */
  contentHash: string;
}
