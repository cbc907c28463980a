import { z } from 'zod';
import { agentName } from './identifiers.ts';

/** RFC 1123 label (002-22). */
const serviceName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'a service name is an RFC 1123 label of at most 40 characters',
  );

const fileName = z
  .string()
  .max(120)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a file name has no folder and does not start with a dot');

const markdownFile = z.preprocess(
  snakeCaseAliases({ file_type: 'fileType' }),
  z.strictObject({
    filename: fileName,
    content: z.string().max(64_000),
    fileType: z.enum(['task', 'design-spec', 'prompt', 'other']).default('other'),
  }),
);

/** Body of `POST /api/v1/pm/tasks` (002-21..25); snake_case names are accepted too. */
export const taskRunBody = z.preprocess(
  snakeCaseAliases({
    task_id: 'taskId',
    service_name: 'serviceName',
    markdown_files: 'markdownFiles',
    retry_attempt: 'retryAttempt',
    agent_name: 'agent',
    budget_usd: 'budgetUsd',
  }),
  z.strictObject({
    taskId: z.int().min(1),
    serviceName,
    priority: z
      .union([z.enum(['critical', 'high', 'normal', 'low']), z.int().min(1).max(10)])
      .default('normal'),
    markdownFiles: z.array(markdownFile).min(1).max(20),
    retryAttempt: z.int().min(1).default(1),
    agent: agentName.optional(),
    repository: z.string().max(500).optional(),
    budgetUsd: z.number().positive().max(1_000).optional(),
  }),
);
export type TaskRunBody = z.infer<typeof taskRunBody>;

export const condition = z.object({
  type: z.enum(['Created', 'Validated', 'ResourcesReady', 'Monitored', 'CleanedUp']),
  status: z.enum(['True', 'False', 'Unknown']),
  lastTransitionTime: z.string(),
  reason: z.string(),
  message: z.string(),
});

/** The Kubernetes-shaped view of a directly submitted task (002-19..29). */
export const taskRun = z.object({
  apiVersion: z.literal('orchestrator.io/v1'),
  kind: z.literal('TaskRun'),
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    creationTimestamp: z.string(),
    /** When its deletion was asked for; it is gone when no finalizer is left (002-18). */
    deletionTimestamp: z.string().optional(),
    finalizers: z.array(z.string()),
  }),
  spec: z.object({
    taskId: z.int(),
    serviceName: z.string(),
    priority: z.string(),
    markdownFiles: z.array(z.object({ filename: z.string(), content: z.string(), fileType: z.string() })),
    retryAttempt: z.int(),
  }),
  status: z.object({
    phase: z.enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Cancelled']),
    conditions: z.array(condition),
    configMapName: z.string(),
    jobName: z.string(),
    runId: z.string(),
    events: z.array(z.object({ at: z.string(), type: z.string(), message: z.string() })),
  }),
});
export type TaskRun = z.infer<typeof taskRun>;

function snakeCaseAliases(aliases: Record<string, string>) {
  return (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [aliases[key] ?? key, item as unknown]),
    );
  };
}
