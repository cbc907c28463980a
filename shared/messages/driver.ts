import { z } from 'zod';
import { decisionStates } from './decision.ts';
import { planProposal } from './plan.ts';
import { askedStages } from './stages.ts';

/** As Workflows makes them: one segment of a URL, whatever it holds. */
const segment = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, '1 to 128 letters, digits, _ and -');

/** Body of `POST /internal/runs/{id}/claim`. */
export const claimBody = z.strictObject({ execution: segment });

export const askedStage = z.enum(askedStages);

/** Body of `POST /internal/runs/{id}/stages/{stage}`. */
export const stageBody = z.strictObject({
  execution: segment,
  /** Id of the callback endpoint, not its URL: nobody is called whom we were told to call. */
  callback: segment,
  sequence: z.int().min(1),
});

/** Body of `POST /internal/runs/{id}/plan`. */
export const drivenPlanBody = planProposal.extend({ execution: segment });

/** `GET /internal/runs/{id}`, and the answer of the others. A key is never absent: reading one that is raises a KeyError. */
export const driverView = z.object({
  run: z.string(),
  stage: z.string(),
  /** Nothing of it goes on any more. */
  ended: z.boolean(),
  paused: z.boolean(),
  /** What was asked for last. */
  asked: askedStage.nullable(),
  /** Whether that is over. */
  over: z.boolean(),
  /** Of the next request. */
  sequence: z.int(),
  /** Id of what a person is asked about the run as a whole. */
  decision: z.string().nullable(),
  fixRounds: z.int(),
  head: z.string().nullable(),
  /** Why it ended otherwise than succeeded. */
  reason: z.string().nullable(),
  /** What its plan says of the requirement, once there is one, and what the caller did, which wins. */
  flags: z.record(z.string(), z.boolean()),
});
export type DriverView = z.infer<typeof driverView>;

/** `GET /internal/decisions/{id}`, and the answer of `POST /internal/decisions/{id}/due`. */
export const decisionDueView = z.object({
  decision: z.string(),
  run: z.string(),
  state: z.enum(decisionStates),
  /** What was answered, by a person or by the deadline. */
  option: z.string().nullable(),
  /** Until there is something to do for it: to remind, to escalate, to take the safe option. From 1. */
  due_in_seconds: z.int(),
});
export type DecisionDueView = z.infer<typeof decisionDueView>;
