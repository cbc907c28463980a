import { z } from 'zod';
import { checkResult } from './change-set.ts';

/** The nine lifecycle stages of an agent (003-29). */
export const lifecycleStages = [
  'initialize_agent',
  'load_configuration',
  'validate_dependencies',
  'prepare_context',
  'execute_task',
  'process_output',
  'store_results',
  'generate_handoff',
  'cleanup_resources',
] as const;
export type LifecycleStage = (typeof lifecycleStages)[number];

const block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({
    type: z.literal('tool_result'),
    toolUseId: z.string(),
    content: z.string(),
    isError: z.boolean(),
  }),
  z.object({ type: z.literal('thinking'), text: z.string() }),
  z.object({ type: z.literal('opaque') }),
]);

const turn = z.object({
  role: z.enum(['user', 'assistant']),
  blocks: z.array(block),
  raw: z.object({ provider: z.enum(['anthropic', 'openai', 'script']), content: z.unknown() }).optional(),
});

const usage = z.object({ input: z.int(), output: z.int(), cacheRead: z.int(), cacheWrite: z.int() });

const base = { v: z.literal(1), seq: z.int().nonnegative(), at: z.int() };

/** One NDJSON line of an attempt's transcript: everything it said, ran and read, in order of `seq`. */
export const transcriptLine = z.discriminatedUnion('kind', [
  z.object({ ...base, kind: z.literal('stage'), stage: z.enum(lifecycleStages), ms: z.number() }),
  /** A turn of the conversation; a user turn that answers tools closes the turn before it. */
  z.object({ ...base, kind: z.literal('turn'), turn, model: z.string().optional(), usage: usage.optional() }),
  z.object({
    ...base,
    kind: z.literal('tool'),
    name: z.string(),
    input: z.string(),
    allowed: z.boolean(),
    isError: z.boolean(),
    summary: z.string(),
    ms: z.number(),
  }),
  /** The workspace as it was after the turn with this number of lines before it. `blob` is a key. */
  z.object({ ...base, kind: z.literal('checkpoint'), blob: z.string() }),
  z.object({ ...base, kind: z.literal('checks'), results: z.array(checkResult) }),
  z.object({ ...base, kind: z.literal('note'), text: z.string() }),
]);
export type TranscriptLine = z.infer<typeof transcriptLine>;
/** A line before it has its number and time. */
export type TranscriptEntry = TranscriptLine extends infer L
  ? L extends TranscriptLine
    ? Omit<L, 'v' | 'seq' | 'at'>
    : never
  : never;
