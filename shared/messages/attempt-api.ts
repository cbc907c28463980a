import { z } from 'zod';
import { agentMessage } from './agent-message.ts';
import { changeSet, checkResult } from './change-set.ts';
import {
  agentName,
  commitSha,
  generation,
  microUsd,
  runId,
  sha256,
  taskId,
  tenantId,
} from './identifiers.ts';
import { reviewAnswer } from './plan.ts';
import { repositoryContract } from './repository-contract.ts';
import { transcriptLine } from './transcript-line.ts';

export const MAX_SUMMARY_CHARS = 4_000;
export const MAX_OUTPUT_CHARS = 60_000;
/** Of one change set with its contents, as JSON. */
export const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;

export const claimRequest = z.strictObject({ ticket: z.string().min(20).max(200) });

/** What a person said to the run; `interrupts`: breaks into what the agent is doing, instead of waiting for its next turn. */
const steeringWords = z.object({ seq: z.int().positive(), text: z.string(), interrupts: z.boolean() });
export type SteeringWords = z.infer<typeof steeringWords>;

/** How much of what was said to the run its worker has; the platform says more from there on. */
const seenMarks = z.object({ messages: z.int().nonnegative(), mail: z.int().nonnegative() });
export type SeenMarks = z.infer<typeof seenMarks>;

/** A change set that is there before the task begins, in the order of application. */
const inputChangeSet = z.object({ task: taskId, url: z.string() });

/** Everything a worker is told about its attempt. URLs are signed, for this attempt only. */
export const attemptBrief = z.object({
  v: z.literal(1),
  tenant: tenantId,
  run: runId,
  task: taskId,
  generation,
  kind: z.enum(['plan', 'work', 'integrate', 'fix', 'review']),
  agent: agentName,
  title: z.string(),
  requirement: z.string(),
  instructions: z.string(),
  acceptance: z.array(z.string()),
  scope: z.array(z.string()),
  /** What the tasks it depends on said, newest last; text is cut at the end. */
  dependencies: z.array(
    z.object({ task: taskId, agent: agentName, summary: z.string(), output: z.string() }),
  ),
  /** What the agent delegated in earlier attempts. */
  subtasks: z
    .array(
      z.object({ task: taskId, agent: agentName, title: z.string(), state: z.string(), summary: z.string() }),
    )
    .optional(),
  /** What people said to the run before this attempt. */
  messages: z.array(steeringWords).optional(),
  /** What other agents of the run said to this one before. */
  mail: z.array(agentMessage).optional(),
  /** Absent: nothing was said yet. */
  seen: seenMarks.optional(),
  /** Failure of the attempt before, for the prompt. */
  previousFailure: z.string().optional(),
  /** `split`: attempts before this one ran out of turns. */
  strategy: z.enum(['split']).optional(),
  /** Transcript and last checkpoint of the attempt before; absent: start clean. */
  resume: z
    .object({
      transcriptUrls: z.array(z.string()),
      generation,
      /** Signed URL by blob key. */
      checkpoints: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  target: z
    .object({ host: z.string(), repository: z.string(), baseSha: commitSha, service: z.string() })
    .optional(),
  clone: z.object({ url: z.string(), authorization: z.string().optional() }).optional(),
  contract: repositoryContract,
  inputs: z.array(inputChangeSet),
  /** For `review`: what there is to judge. */
  diff: z.string().optional(),
  checks: z.array(checkResult).optional(),
  model: z.object({
    id: z.string(),
    provider: z.enum(['anthropic', 'openai', 'script']),
    maxOutputTokens: z.int(),
  }),
  limits: z.object({
    turns: z.int(),
    /** Epoch milliseconds. */
    wrapUpAt: z.int(),
    hardLimitAt: z.int(),
    renewEveryMs: z.int(),
  }),
  /** W3C trace context. */
  traceparent: z.string().optional(),
});
export type AttemptBrief = z.infer<typeof attemptBrief>;

export const claimAnswer = z.object({ token: z.string(), brief: attemptBrief });

/** Without `seen`: what was said since the last answer. With it an answer that was lost is given again. */
export const renewRequest = z.strictObject({ seen: seenMarks.optional() });

export const renewAnswer = z.object({
  answer: z.enum(['continue', 'wrap-up', 'stop']),
  /** What people said to the run since. */
  messages: z.array(steeringWords),
  /** What other agents of the run said to this one since; absent: nothing. */
  mail: z.array(agentMessage).optional(),
  /** For the next renewal; absent: as before. */
  seen: seenMarks.optional(),
});
export type RenewAnswer = z.infer<typeof renewAnswer>;

/** Chunk `n` of the transcript, from 0; the same `n` again changes nothing. */
export const logRequest = z.strictObject({
  n: z.int().nonnegative(),
  lines: z.array(transcriptLine).min(1).max(2_000),
});

/** Work that an agent hands to another one (001-04). */
export const subtaskProposal = z.strictObject({
  kind: z.literal('subtask'),
  /** The caller's own: the same one again is the same subtask. */
  id: z.string().min(1).max(200),
  agent: agentName,
  title: z.string().min(1).max(200),
  instructions: z.string().min(1).max(20_000),
  /** Out of the allotment of whoever delegates. */
  budgetUsd: z.number().positive().max(1_000_000).optional(),
  acceptance: z.array(z.string().min(1).max(1_000)).max(20).optional(),
});
export type SubtaskProposal = z.infer<typeof subtaskProposal>;

/** What an agent says to another one of its run. */
export const messageProposal = z.strictObject({
  kind: z.literal('message'),
  message: agentMessage,
  /** The subtask that the message is about; a `complete` ends it. */
  correlation_id: taskId.optional(),
});
export type MessageProposal = z.infer<typeof messageProposal>;

/** What an agent asks the platform to do outside its sandbox. */
export const proposal = z.discriminatedUnion('kind', [
  /** A signed URL to upload to. */
  z.strictObject({
    kind: z.literal('upload'),
    purpose: z.enum(['change-set', 'checkpoint']),
    n: z.int().nonnegative(),
  }),
  /** The change set bundle uploaded as number `n`; checked before it is taken. */
  z.strictObject({ kind: z.literal('change-set'), n: z.int().nonnegative() }),
  subtaskProposal,
  messageProposal,
]);
export type Proposal = z.infer<typeof proposal>;

/** `key` names the blob, the subtask or the message; `upload` gives `url`; `note` is for the agent. */
export const proposalAnswer = z.object({
  key: z.string(),
  url: z.string().optional(),
  note: z.string().optional(),
});
export type ProposalAnswer = z.infer<typeof proposalAnswer>;

/** A change set with the contents it names, base64 by SHA-256: one blob. */
export const changeSetBundle = z.strictObject({ changeSet, contents: z.record(sha256, z.string()) });
export type ChangeSetBundle = z.infer<typeof changeSetBundle>;

export const failureCodes = [
  'lost',
  'timeout',
  'out_of_memory',
  'network',
  'model_unavailable',
  'model_refused',
  'model_garbage',
  'turn_limit',
  'budget',
  'checks_red',
  'conflict',
  'empty_output',
  'invalid_output',
  'rejected_change_set',
  'invalid_input',
  'forbidden',
  'cancelled',
  'internal',
] as const;
export type FailureCode = (typeof failureCodes)[number];

export const attemptFailure = z.strictObject({
  code: z.enum(failureCodes),
  message: z.string().max(MAX_SUMMARY_CHARS),
  /** For `conflict` and `checks_red` of an integration: the task whose change set it was. */
  task: taskId.optional(),
  /** When the other side said to come again. */
  retryAfterMs: z.int().nonnegative().optional(),
});
export type AttemptFailure = z.infer<typeof attemptFailure>;

/** How an attempt ended. */
export const attemptResult = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('succeeded'),
    summary: z.string().min(1).max(MAX_SUMMARY_CHARS),
    /** Text result: a specification, a plan as JSON. */
    output: z.string().max(MAX_OUTPUT_CHARS).optional(),
    review: reviewAnswer.optional(),
    checks: z.array(checkResult).max(20).default([]),
    filesRead: z.int().nonnegative().default(0),
  }),
  z.strictObject({
    outcome: z.literal('failed'),
    failure: attemptFailure,
    checks: z.array(checkResult).max(20).default([]),
  }),
]);
export type AttemptResult = z.infer<typeof attemptResult>;
export type AttemptResultInput = z.input<typeof attemptResult>;

export const finishAnswer = z.object({ outcome: z.enum(['stored', 'stale']) });

/** What an attempt used, in the run's views. */
export const meter = z.object({
  allowanceMicroUsd: microUsd,
  reservedMicroUsd: microUsd,
  spentMicroUsd: microUsd,
  usage: z.object({ input: z.int(), output: z.int(), cacheRead: z.int(), cacheWrite: z.int() }),
  calls: z.int().nonnegative(),
});
export type Meter = z.infer<typeof meter>;
