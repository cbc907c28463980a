import { z } from 'zod';
import { generation, runId, taskId, tenantId } from './identifiers.ts';

/** A message is a hint: ids and a generation, never state. */
const runHint = z.object({ v: z.literal(1), tenant: tenantId, run: runId });
const taskHint = runHint.extend({ task: taskId, generation });

/** One schema per topic; a name here is the topic's name everywhere. Unknown fields are dropped, so that an older reader survives a newer writer. */
export const topics = {
  'run-accepted': runHint,
  'task-dispatched': taskHint,
  'task-finished': taskHint,
  'run-finished': runHint,
  'notification-requested': runHint,
  /** A message that no delivery could handle; what the platform does not say is absent. */
  'dead-letter': z.object({
    topic: z.string().max(200).optional(),
    subscription: z.string().max(200),
    messageId: z.string().max(200).optional(),
    publishedAt: z.string().max(100).optional(),
    message: z.record(z.string(), z.unknown()),
    attributes: z.record(z.string(), z.string()),
    deliveryAttempt: z.int().nonnegative(),
    error: z.string().max(4_000).optional(),
  }),
} as const;

export type Topic = keyof typeof topics;
export type Message<T extends Topic> = z.infer<(typeof topics)[T]>;
export type RunHint = z.infer<typeof runHint>;
export type TaskHint = z.infer<typeof taskHint>;
