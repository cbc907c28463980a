import { z } from 'zod';
import { agentName, taskId } from './identifiers.ts';

/** Of one message: only keeps a body in bounds, so that a plan of 10,000 tasks still gets its reasons from plan validation. */
const MAX_PROPOSED_TASKS = 20_000;

const lane = z.enum(['function', 'job']);

const taskFields = z.strictObject({
  id: taskId,
  agent: agentName.optional(),
  /** Instead of an agent: each attempt goes to whoever has it and the least to do. */
  capability: z.string().min(1).max(100).optional(),
  title: z.string().max(200).optional(),
  instructions: z.string().min(1).max(20_000),
  dependencies: z.array(taskId).max(1_000).default([]),
  /** What a command or the reviewer can check. */
  acceptance: z.array(z.string().min(1).max(1_000)).max(20).default([]),
  /** Globs of paths that the task may change; a path that does not exist yet is marked `new:`. */
  scope: z.array(z.string().min(1).max(300)).max(50).default([]),
  /** By default the agent's own lane. */
  lane: lane.optional(),
  optional: z.boolean().default(false),
});

/** A task as somebody asks for it: a caller's `plan`, or the architect's answer. */
export const proposedTask = taskFields.refine(
  ({ agent, capability }) => (agent === undefined) !== (capability === undefined),
  { error: 'a task names either its agent or a capability', path: ['agent'] },
);
export type ProposedTask = z.infer<typeof proposedTask>;

/** A task of a checked plan. One that asks for a capability has the first agent that has it. */
export const plannedTask = taskFields.extend({ agent: agentName });
export type PlannedTask = z.infer<typeof plannedTask>;

export const planProposal = z.strictObject({ tasks: z.array(proposedTask).min(1).max(MAX_PROPOSED_TASKS) });
export type PlanProposal = z.infer<typeof planProposal>;

/** What the architect answers: plan, and why. Structured output of the decomposition call. */
export const architectAnswer = z.strictObject({
  summary: z.string().min(1).max(4_000),
  tasks: z
    .array(
      plannedTask.pick({ id: true, agent: true, instructions: true }).extend({
        title: z.string(),
        dependencies: z.array(z.string()),
        acceptance: z.array(z.string()),
        scope: z.array(z.string()),
      }),
    )
    .min(1),
});
export type ArchitectAnswer = z.infer<typeof architectAnswer>;

/** What a reviewer answers. */
export const reviewAnswer = z.strictObject({
  verdict: z.enum(['approve', 'request_changes']),
  summary: z.string().min(1).max(4_000),
  remarks: z.array(z.strictObject({ path: z.string().nullable(), text: z.string().min(1) })).max(100),
});
export type ReviewAnswer = z.infer<typeof reviewAnswer>;
