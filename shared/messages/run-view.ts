import { stages } from './stages.ts';
import { z } from 'zod';
import { meter } from './attempt-api.ts';
import { checkResult } from './change-set.ts';
import { plannedTask, reviewAnswer } from './plan.ts';

/** Times in answers are ISO 8601; money is micro-dollars. */
const time = z.iso.datetime();
const count = z.int().nonnegative();

const endReason = z.object({ code: z.string(), message: z.string() });
const diffStat = z.object({ files: count, added: count, deleted: count });

export const historyView = z.object({
  seq: z.int(),
  at: time,
  state: z.string(),
  by: z.string(),
  note: z.string().optional(),
});
export type HistoryView = z.infer<typeof historyView>;

/** `GET /api/runs/{id}`, and each entry of `GET /api/runs`. */
export const runView = z.object({
  id: z.string(),
  title: z.string(),
  requirement: z.string(),
  stage: z.string(),
  /** No new attempt and no new stage begins until it is resumed. */
  paused: z.boolean().default(false),
  /** The run that it repeats, and the tasks whose results it took over. */
  forkedFrom: z.object({ run: z.string(), reuse: z.array(z.string()) }).optional(),
  reason: endReason.optional(),
  repository: z.string().optional(),
  baseRef: z.string().optional(),
  baseSha: z.string().optional(),
  headBranch: z.string().optional(),
  headSha: z.string().optional(),
  origin: z.object({
    kind: z.string(),
    actor: z.string(),
    issue: z.object({ number: z.int(), url: z.string() }).optional(),
  }),
  project: z.string().optional(),
  driver: z.string(),
  priority: z.string(),
  dryRun: z.boolean(),
  budgetMicroUsd: z.int(),
  plan: z
    .object({
      hash: z.string(),
      summary: z.string(),
      tasks: z.int(),
      parallel: z.int(),
      estimateMicroUsd: z.int(),
      filesRead: z.int(),
    })
    .optional(),
  checksFrom: z.array(z.string()),
  diffStat: diffStat.optional(),
  pullRequest: z.object({ number: z.int(), url: z.string(), ready: z.boolean() }).optional(),
  /** CI of a commit of its branch: that it is waited for, since when, or which checks were red. Absent: neither. */
  ci: z
    .object({
      head: z.string(),
      state: z.enum(['expected', 'pending', 'red']),
      /** When the commit was published; absent for one before the newest. */
      since: time.optional(),
      /** Names of the checks that are not over, or have failed. */
      checks: z.array(z.string()),
    })
    .optional(),
  /** Ids of what it waits for a person to decide; of one run, not in lists. Absent: nothing. */
  decisions: z.array(z.string()).optional(),
  /** By which its log entries and spans are found. */
  trace: z.string().optional(),
  createdAt: time,
  updatedAt: time,
  endedAt: time.optional(),
  history: z.array(historyView),
});
export type RunView = z.infer<typeof runView>;
export type CiView = NonNullable<RunView['ci']>;

/** An entry of `GET /api/runs/{id}/tasks/{task}/attempts`. */
export const attemptView = z.object({
  generation: z.int(),
  agent: z.string(),
  agentHash: z.string(),
  model: z.string().optional(),
  state: z.string(),
  startedAt: time,
  endedAt: time.optional(),
  meter,
  exit: z
    .object({
      outcome: z.string(),
      code: z.string().optional(),
      class: z.string().optional(),
      message: z.string().optional(),
      /** What the next attempt does otherwise. */
      remedy: z.string().optional(),
    })
    .optional(),
});
export type AttemptView = z.infer<typeof attemptView>;

/** An entry of `GET /api/runs/{id}/tasks`. */
export const taskView = z.object({
  id: z.string(),
  run: z.string(),
  kind: z.string(),
  title: z.string(),
  agent: z.string(),
  /** What its plan asked for instead of an agent. */
  capability: z.string().optional(),
  lane: z.string(),
  state: z.string(),
  dependencies: z.array(z.string()),
  /** The task whose agent delegated it. */
  parent: z.string().optional(),
  optional: z.boolean(),
  instructions: z.string(),
  acceptance: z.array(z.string()),
  scope: z.array(z.string()),
  spentMicroUsd: z.int(),
  allotmentMicroUsd: z.int(),
  /** A task that waits after a failed attempt is not tried again before. */
  notBefore: time.optional(),
  summary: z.string().optional(),
  changeSet: diffStat.optional(),
  checks: z.array(checkResult),
  review: reviewAnswer.optional(),
  startedAt: time.optional(),
  endedAt: time.optional(),
  attempts: z.array(attemptView),
  history: z.array(historyView),
});
export type TaskView = z.infer<typeof taskView>;

/** `GET /api/runs/{id}/plan`. */
export const planView = z.object({ hash: z.string(), summary: z.string(), tasks: z.array(plannedTask) });
export type PlanView = z.infer<typeof planView>;

/** `GET /api/runs/{id}/cost`. */
export const costView = z.object({
  budgetMicroUsd: z.int(),
  spentMicroUsd: z.int(),
  /** Set aside for calls that are under way. */
  reservedMicroUsd: z.int(),
  calls: z.int(),
  usage: meter.shape.usage,
  /** Whether a scripted model stood in: then tokens and cost are simulated. */
  simulated: z.boolean(),
  tasks: z.array(
    z.object({
      task: z.string(),
      agent: z.string(),
      spentMicroUsd: z.int(),
      calls: z.int(),
      usage: meter.shape.usage,
    }),
  ),
});
export type CostView = z.infer<typeof costView>;

/** Event names of 004-15..18 and our own. */
export const eventTypes = [
  'requirement_submitted',
  'task_completed',
  'decision_needed',
  'status_update',
  'run_finished',
] as const;

/**
 * A server-sent event of a run, derived from the histories of its records. `seq` counts from 1 without gaps, and an
 * event never changes its number: what comes later has a larger one, also when it happened a little earlier.
 */
export const runEvent = z.object({
  v: z.literal(1),
  seq: z.int().positive(),
  type: z.enum(eventTypes),
  at: time,
  run: z.string(),
  /** Absent: the run itself. */
  task: z.string().optional(),
  state: z.string(),
  by: z.string(),
  note: z.string().optional(),
});
export type RunEvent = z.infer<typeof runEvent>;

export const artifactKinds = ['output', 'change-set', 'transcript'] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

/** An entry of `GET /api/runs/{id}/artifacts`: something stored of an attempt that has ended. */
export const artifactView = z.object({
  /** `{task}.{generation}.{kind}` */
  id: z.string(),
  task: z.string(),
  generation: z.int(),
  kind: z.enum(artifactKinds),
  mediaType: z.string(),
  bytes: count,
  sha256: z.string(),
});
export type ArtifactView = z.infer<typeof artifactView>;

/** `GET /api/status` (004-11). */
export const statusView = z.object({
  version: z.string(),
  model: z.object({ provider: z.string(), simulated: z.boolean() }),
  /** Runs of the tenant by stage; a stage without runs is 0. */
  runs: z.record(z.string(), count),
  liveRuns: count,
  /** Questions that wait for a person. */
  openDecisions: count,
  /** Ended runs, those that no person had a hand in, and their share (S-01); null while none has ended. */
  autonomy: z.object({ finished: count, untouched: count, rate: z.number().nullable() }),
  agents: count,
});

/** An entry of `GET /api/agents` (004-13). */
export const agentView = z.object({
  name: z.string(),
  category: z.string(),
  type: z.string(),
  description: z.string(),
  capabilities: z.array(z.string()),
  lane: z.string(),
  tier: z.string(),
  tools: z.array(z.string()),
  contentHash: z.string(),
  /** Of its circuit, for this tenant: `open`: its tasks wait; `probing`: one of them is tried. */
  health: z.object({
    state: z.enum(['healthy', 'probing', 'open']),
    since: time.optional(),
    reason: z.string().optional(),
  }),
  /** The tenant's attempts of it under way, and its tasks that wait for capacity or time; at most 1,000 are counted. */
  load: z.object({ running: count, waiting: count }),
});
export type AgentView = z.infer<typeof agentView>;

export const health = z.object({ status: z.literal('ok'), version: z.string() });

/** Every list: `next` is the `cursor` of the next page and absent on the last. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}
export const MAX_LIST = 200;
export const DEFAULT_LIST = 50;

/** Query of every list. */
export const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_LIST).default(DEFAULT_LIST),
  cursor: z.string().min(1).max(2_000).optional(),
});

export const runsQuery = listQuery.extend({
  stage: z.enum(stages).optional(),
});

export const tasksQuery = listQuery.extend({
  /** Without: the live tasks of the newest runs, without further pages. */
  run: z.string().max(40).optional(),
});

export const MAX_WAIT_SECONDS = 60;
export const eventsQuery = listQuery.extend({
  /** Seconds to wait for news: the answer is a JSON list then, not a stream. */
  wait: z.coerce.number().min(0).max(MAX_WAIT_SECONDS).optional(),
});

export const logQuery = z.object({
  /** Streams until the attempt has ended. */
  follow: z.enum(['', '0', '1', 'false', 'true']).optional(),
});

export const diffQuery = z.object({
  /** By default the change as it was last integrated. */
  task: z.string().max(80).optional(),
});
