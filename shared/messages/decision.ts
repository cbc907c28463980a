import { z } from 'zod';
import { listQuery } from './run-view.ts';

export const decisionStates = ['open', 'decided', 'expired', 'void'] as const;

/** A way to answer. `needs` names the field of the answer that belongs to it; left out, the option's own default holds. */
export const decisionOption = z.object({
  id: z.string(),
  label: z.string(),
  needs: z.enum(['budgetUsd']).optional(),
});
export type DecisionOption = z.infer<typeof decisionOption>;

export const MAX_COMMENT_CHARS = 2_000;

/** Body of `POST /api/decisions`. */
export const decisionBody = z.strictObject({
  decisionId: z.string().min(1).max(60),
  option: z.string().min(1).max(60),
  comment: z.string().max(MAX_COMMENT_CHARS).optional(),
  /** For an option that needs it: the new total of the run, in US dollars. By default twice the old one. */
  budgetUsd: z.number().positive().max(1_000).optional(),
});
export type DecisionBody = z.infer<typeof decisionBody>;

/** `GET /api/decisions/{id}`, and each entry of `GET /api/decisions`. */
export const decisionView = z.object({
  id: z.string(),
  run: z.string(),
  /** Absent: the run as a whole waits for it. */
  task: z.string().optional(),
  kind: z.string(),
  question: z.string(),
  options: z.array(decisionOption),
  /** What is taken at the deadline. */
  safeOption: z.string(),
  /** `expired`: nobody answered in time. `void`: what was asked about is no longer so. */
  state: z.enum(decisionStates),
  option: z.string().optional(),
  budgetMicroUsd: z.int().optional(),
  comment: z.string().optional(),
  actor: z.string().optional(),
  createdAt: z.iso.datetime(),
  deadline: z.iso.datetime(),
  /** When it was answered, expired or became void. */
  endedAt: z.iso.datetime().optional(),
});
export type DecisionView = z.infer<typeof decisionView>;

export const decisionsQuery = listQuery.extend({ state: z.enum(decisionStates).optional() });
