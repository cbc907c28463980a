import { z } from 'zod';
import { planProposal } from './plan.ts';

export const MAX_REQUIREMENT_CHARS = 32_000;

const priority = z.union([z.enum(['critical', 'high', 'normal', 'low']), z.int().min(1).max(10)]);

/** `owner/name` on GitHub, or in local mode an absolute path of a checkout. */
const repository = z
  .string()
  .max(500)
  .regex(
    /^([A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}|\/[^\0]*)$/,
    'a repository is owner/name, or in local mode an absolute path',
  );

const MAX_FLAGS = 20;

export const runFlags = z
  .record(z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'a flag is named like needs_mobile'), z.boolean())
  .refine((flags) => Object.keys(flags).length <= MAX_FLAGS, `a run has at most ${MAX_FLAGS} flags`);

/** Body of `POST /api/requirements`. */
export const requirementBody = z.strictObject({
  requirement: z.string().trim().min(1).max(MAX_REQUIREMENT_CHARS),
  repository: repository.optional(),
  /** Branch to start from. By default the repository's own default branch. */
  baseRef: z.string().min(1).max(200).optional(),
  project: z.string().max(100).optional(),
  priority: priority.default('normal'),
  driver: z.string().max(60).optional(),
  /** What its driver is told about it, such as `needs_mobile`. */
  flags: runFlags.optional(),
  /** USD the run may spend at most. */
  budgetUsd: z.number().positive('a budget of 0 could not pay for anything').max(1_000).optional(),
  /** Skips decomposition. */
  plan: planProposal.optional(),
  /** Stops after the plan; nothing is executed. */
  dryRun: z.boolean().default(false),
});
export type RequirementBody = z.infer<typeof requirementBody>;

/** Answer of the submission routes. */
export const acceptedRun = z.object({
  runId: z.string(),
  stage: z.string(),
  /** This request only repeated an earlier one. */
  duplicate: z.boolean(),
  links: z.object({ run: z.string(), page: z.string(), events: z.string() }),
});
export type AcceptedRun = z.infer<typeof acceptedRun>;

/** Accepts every spelling of the source documents (G-05). 1 is the most urgent. */
export function normalisePriority(value: z.infer<typeof priority>): 'critical' | 'high' | 'normal' | 'low' {
  if (typeof value === 'string') return value;
  if (value <= 2) return 'critical';
  if (value <= 4) return 'high';
  return value <= 7 ? 'normal' : 'low';
}
