import { z } from 'zod';

/** Body of `POST /api/runs/{id}/messages`. */
export const steeringBody = z.strictObject({ text: z.string().min(1).max(2_000) });

/** Its answer: what the run's agents will read. */
export const steeringView = z.object({
  run: z.string(),
  /** Numbers a run's messages from 1. */
  seq: z.int().positive(),
  at: z.iso.datetime(),
  by: z.string(),
  text: z.string(),
  /** Whether it breaks into what the agents are doing, instead of waiting for their next turn. */
  interrupts: z.boolean(),
});
export type SteeringView = z.infer<typeof steeringView>;
