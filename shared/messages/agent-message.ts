import { z } from 'zod';
import { agentName } from './identifiers.ts';

export const messageTypes = ['handoff', 'subtask', 'result', 'complete', 'event'] as const;

/** A message with everything in it, as JSON. */
export const MAX_MESSAGE_BYTES = 16 * 1024;

const line = z.string().max(300);

export const deliverable = z.strictObject({
  type: z.string().min(1).max(100),
  path: line,
  description: z.string().max(12_000),
});

/** What one agent says to another (003-30). Once stored, sender and time are what the platform knows, not what the sender claims. */
export const agentMessage = z.strictObject({
  /** The same id again is the same message. */
  message_id: z.uuid(),
  timestamp: z.iso.datetime(),
  from_agent: agentName,
  to_agent: agentName,
  message_type: z.enum(messageTypes),
  context: z.strictObject({
    project: line,
    phase: line,
    deliverables: z.array(deliverable).max(20),
  }),
  next_tasks: z.array(z.string().max(2_000)).max(20),
});
export type AgentMessage = z.infer<typeof agentMessage>;
