import { z } from 'zod';
import { taskId } from './identifiers.ts';
import { plannedTask } from './plan.ts';

/** Body of `POST /api/runs/{id}/fork`. */
export const forkBody = z.strictObject({
  /** It and everything behind it are done again. */
  task: taskId,
  /** What it is told instead. */
  instructions: plannedTask.shape.instructions.optional(),
});
export type ForkBody = z.infer<typeof forkBody>;
