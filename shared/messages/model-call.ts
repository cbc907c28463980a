import { z } from 'zod';

/**
 * What a job may ask of the provider with the platform's key: what is paid in tokens at the prices of the model table, and is run
 * by nobody but the model. Everything else is refused, also what the provider will think of later.
 * Source: https://platform.claude.com/docs/en/api/messages/create
 */

/** An hour in the cache costs twice the input instead of five quarters of it. */
const cacheControl = z
  .strictObject({
    type: z.literal('ephemeral'),
    ttl: z.literal('5m', 'only five minutes of caching are paid for; leave it out').optional(),
  })
  .nullish();

const BLOCKS = [
  'text',
  'image',
  'document',
  'search_result',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'tool_result',
] as const;

const source = z.looseObject({
  type: z.enum(
    ['base64', 'text', 'content'],
    'the provider may fetch nothing for an attempt; send the content itself, as base64 or text',
  ),
  content: z.lazy(() => contents).optional(),
});
const block = z.looseObject({
  type: z.enum(BLOCKS, `a block is one of ${BLOCKS.join(', ')}; leave out what the provider itself has run`),
  cache_control: cacheControl,
  // Of a search result it is a name.
  source: z.union([z.string(), source]).optional(),
  content: z.lazy(() => contents).nullish(),
});
const contents: z.ZodType = z.union([z.string(), z.array(block)]);

const tool = z.strictObject({
  type: z
    .literal(
      'custom',
      'tools of the provider cost more than tokens or leave the attempt; use tools of your own',
    )
    .nullish(),
  name: z.string(),
  description: z.string().optional(),
  input_schema: z.looseObject({}),
  input_examples: z.array(z.unknown()).optional(),
  strict: z.boolean().optional(),
  eager_input_streaming: z.boolean().nullish(),
  cache_control: cacheControl,
});

/** They only take away from what was counted; a compaction is a second answer, which the usage of the first leaves out. */
const edit = z.looseObject({
  type: z.enum(
    ['clear_tool_uses_20250919', 'clear_thinking_20251015'],
    'only clear_tool_uses_20250919 and clear_thinking_20251015 are paid for; leave it out',
  ),
});

export const modelCall = z.strictObject({
  model: z.string(),
  max_tokens: z.int().positive(),
  messages: z.array(z.strictObject({ role: z.enum(['user', 'assistant', 'system']), content: contents })),
  system: contents.optional(),
  tools: z.array(tool).optional(),
  tool_choice: z.looseObject({}).optional(),
  thinking: z.looseObject({}).optional(),
  output_config: z.strictObject({ effort: z.string().nullish(), format: z.unknown() }).optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional(),
  temperature: z.number().optional(),
  top_k: z.number().optional(),
  top_p: z.number().optional(),
  metadata: z.looseObject({}).optional(),
  cache_control: cacheControl,
  context_management: z.strictObject({ edits: z.array(edit).optional() }).nullish(),
});
export type ModelCall = z.infer<typeof modelCall>;

/** The part of a call that its tokens are counted of. */
export const countedCall = modelCall
  .pick({
    model: true,
    messages: true,
    system: true,
    tools: true,
    tool_choice: true,
    thinking: true,
    output_config: true,
  })
  .partial();

/** One sentence about what of a call is refused: the first field, and what to do about it. */
export function refusedField(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'it is no model call';
  const { path, message, unknown } = innermost(issue);
  if (unknown !== undefined)
    return `field ${[...path, unknown].join('.')} is none that an attempt may use; leave it out`;
  return `field ${path.join('.') || '(the body)'}: ${message}`;
}

type Issue = z.core.$ZodIssue;

/** Of several forms that a value might have taken, the one that came furthest. */
function innermost(issue: Issue): { path: PropertyKey[]; message: string; unknown?: string | undefined } {
  const { path, message } = issue;
  if (issue.code === 'unrecognized_keys') return { path, message, unknown: issue.keys[0] };
  if (issue.code !== 'invalid_union') return { path, message };
  const inner = issue.errors.flatMap(([first]) => (first === undefined ? [] : [innermost(first)]));
  const [deepest] = inner.toSorted((a, b) => b.path.length - a.path.length);
  return deepest === undefined ? { path, message } : { ...deepest, path: [...path, ...deepest.path] };
}
