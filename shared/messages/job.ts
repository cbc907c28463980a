import { z } from 'zod';
import { claimBody } from './driver.ts';

/** Body of `POST /internal/runs/{id}/tasks/{task}/attempts/{generation}/ticket`: the execution that starts the attempt's job. */
export const ticketBody = claimBody;

/** The answer: everything that the job is told and another one is not. */
export const ticketView = z.object({
  /** As `PENSTOCK_ATTEMPT` has it. */
  attempt: z.string(),
  /** One-time; a secret. */
  ticket: z.string(),
  /** W3C trace context; empty without one. A key is never absent: reading one that is raises a KeyError. */
  traceparent: z.string(),
  /** How long the job may take, the wait for its container included. */
  timeout_seconds: z.int(),
});
export type TicketView = z.infer<typeof ticketView>;

/**
 * What became of a job as far as who started it knows. `done`: its container exited with 0; `failed`: otherwise; `timed_out`: it
 * runs on; `no_capacity`: Cloud Run had no room; `refused`: it was not started, and the same call again would not be either;
 * `unknown`: the answer to its start was lost.
 */
export const jobEnds = ['done', 'failed', 'timed_out', 'no_capacity', 'refused', 'unknown'] as const;

const MAX_MESSAGE_CHARS = 1_000;

/** Body of `POST /internal/runs/{id}/tasks/{task}/attempts/{generation}/ended`. A message may be as long as Google makes it. */
export const jobEndBody = claimBody.extend({
  end: z.enum(jobEnds),
  message: z
    .string()
    .default('')
    .transform((text) => text.slice(0, MAX_MESSAGE_CHARS)),
});
export type JobEnd = z.infer<typeof jobEndBody>;

/** `GET /internal/runs/{id}/tasks/{task}/attempts/{generation}`. */
export const jobView = z.object({
  attempt: z.string(),
  /** `gone`: the run knows no such attempt any more; it was given back for want of room, or deleted. */
  state: z.enum(['starting', 'running', 'succeeded', 'failed', 'lost', 'cancelled', 'gone']),
  /** Nothing that its job does counts any more. */
  ended: z.boolean(),
});
export type JobView = z.infer<typeof jobView>;
