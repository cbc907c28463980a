import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';

const block = z.looseObject({ type: z.string() });

const rawContent = z.object({
  /** The model that signed the blocks. */
  model: z.string(),
  /** The answer's blocks as they came. */
  content: z.array(z.custom<Anthropic.ContentBlockParam>((value) => block.safeParse(value).success)),
});
/** What stands in `turn.raw.content`. */
export type RawContent = z.infer<typeof rawContent>;

/** Turns are read back from transcripts, hence the check; anything else counts as absent. */
export function readRawContent(value: unknown): RawContent | undefined {
  return rawContent.safeParse(value).data;
}
