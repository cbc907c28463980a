import { z } from 'zod';
import { listQuery } from './run-view.ts';

export const letterStates = ['open', 'replayed', 'discarded'] as const;

/** Query of `GET /api/dead-letters`. */
export const lettersQuery = listQuery.extend({ state: z.enum(letterStates).optional() });

const time = z.iso.datetime();

const replayView = z.object({
  n: z.int().positive(),
  by: z.string(),
  at: time,
  /** False: it was interrupted; the next replay of the letter finishes it. */
  done: z.boolean(),
  run: z.string().optional(),
});

const letter = z.object({
  id: z.string(),
  state: z.enum(letterStates),
  error: z.string(),
  at: time,
  replays: z.array(replayView),
  discarded: z.object({ by: z.string(), at: time }).optional(),
});

/** `GET /api/dead-letters/{id}`: a message that could not be handled, or a task that failed for good. */
export const deadLetterView = z.discriminatedUnion('kind', [
  letter.extend({
    kind: z.literal('message'),
    topic: z.string(),
    subscription: z.string(),
    messageId: z.string(),
    message: z.record(z.string(), z.unknown()),
    run: z.string().optional(),
  }),
  letter.extend({
    kind: z.literal('task'),
    run: z.string(),
    task: z.string(),
    generation: z.int().positive(),
    agent: z.string(),
    attempts: z.int().positive(),
    code: z.string().optional(),
    class: z.string().optional(),
    signature: z.string().optional(),
  }),
]);
export type DeadLetterView = z.infer<typeof deadLetterView>;
