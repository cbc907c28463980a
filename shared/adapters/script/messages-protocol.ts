import { z } from 'zod';
import type { Block, ModelRequest, Stop, Turn, Usage } from '../../ports/model.ts';

/** A Messages API request in the port's own types. */
export type WireRequest = Omit<ModelRequest, 'timeoutMs' | 'signal'> & { stream: boolean };

/** What a server of this protocol answers: a turn, or an error of the API's shape. */
export type WireAnswer =
  | { blocks: Block[]; stop: Stop; usage?: Partial<Usage> }
  | { error: { status: number; type: string; message: string } };

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() });
const toolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
});
const toolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(textBlock)]).optional(),
  is_error: z.boolean().optional(),
});
/** A block of a request or an answer. */
export const contentBlock = z.union([
  textBlock.transform(({ type, text }): Block => ({ type, text })),
  toolUseBlock.transform(({ type, id, name, input }): Block => ({ type, id, name, input })),
  toolResultBlock.transform(
    ({ type, tool_use_id: toolUseId, content, is_error: isError = false }): Block => ({
      type,
      toolUseId,
      content: joinText(content),
      isError,
    }),
  ),
  z.looseObject({ type: z.string() }).transform((): Block => ({ type: 'opaque' })),
]);
const messagesRequest = z.looseObject({
  model: z.string(),
  max_tokens: z.int().positive().optional(),
  stream: z.boolean().optional(),
  system: z.union([z.string(), z.array(textBlock)]).optional(),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['user', 'assistant']),
        content: z.union([z.string(), z.array(contentBlock)]),
      }),
    )
    .min(1),
  tools: z
    .array(
      z.looseObject({
        name: z.string(),
        description: z.string().optional(),
        input_schema: z.record(z.string(), z.unknown()),
      }),
    )
    .optional(),
  output_config: z
    .looseObject({ format: z.looseObject({ schema: z.record(z.string(), z.unknown()) }).nullish() })
    .nullish(),
});

/** Reads a request body; a reason as text when it is none. */
export function decodeRequest(body: unknown): WireRequest | string {
  const parsed = messagesRequest.safeParse(body);
  if (!parsed.success) return z.prettifyError(parsed.error);
  const { data } = parsed;
  const request: WireRequest = {
    model: data.model,
    system: joinText(data.system),
    turns: data.messages.map(({ role, content }) => ({ role, blocks: toBlocks(content) })),
    tools: (data.tools ?? []).map(({ name, description = '', input_schema: inputSchema }) => ({
      name,
      description,
      inputSchema,
    })),
    maxOutputTokens: data.max_tokens ?? 0,
    stream: data.stream ?? false,
  };
  const schema = data.output_config?.format?.schema;
  return schema === undefined ? request : { ...request, outputSchema: schema };
}

function toBlocks(content: string | Block[]): Turn['blocks'] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function joinText(content: string | { text: string }[] | undefined): string {
  return typeof content === 'string' ? content : (content ?? []).map(({ text }) => text).join('\n');
}

const stopReasons: Record<Stop, string> = {
  end: 'end_turn',
  tool_use: 'tool_use',
  truncated: 'max_tokens',
  refused: 'refusal',
  context_full: 'model_context_window_exceeded',
};

/** A reason that is not known is an answer cut short. */
export function toStop(reason: string): Stop {
  const known = Object.entries(stopReasons) as [Stop, string][];
  if (reason === 'stop_sequence') return 'end';
  return known.find(([, wire]) => wire === reason)?.[0] ?? 'truncated';
}

export interface WireMessage {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: (
    { type: 'text'; text: string } | { type: 'tool_use'; id: string; name: string; input: unknown }
  )[];
  stop_reason: string | null;
  stop_sequence: null;
  usage: Record<string, number>;
}

export function encodeMessage(
  id: string,
  model: string,
  turn: { blocks: Block[]; stop: Stop; usage: Usage },
): WireMessage {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: turn.blocks.filter((block) => block.type === 'text' || block.type === 'tool_use'),
    stop_reason: stopReasons[turn.stop],
    stop_sequence: null,
    usage: {
      input_tokens: turn.usage.input,
      output_tokens: turn.usage.output,
      cache_read_input_tokens: turn.usage.cacheRead,
      cache_creation_input_tokens: turn.usage.cacheWrite,
    },
  };
}

/** The same message as the server-sent events of a streamed answer. */
export function encodeEvents(message: WireMessage): string {
  const { content, stop_reason, usage } = message;
  const start = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 0 } };
  return [
    event('message_start', { message: start }),
    ...content.flatMap((block, index) => encodeBlock(block, index)),
    event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage }),
    event('message_stop', {}),
  ].join('');
}

function encodeBlock(block: WireMessage['content'][number], index: number): string[] {
  const [empty, delta] =
    block.type === 'text'
      ? [
          { ...block, text: '' },
          { type: 'text_delta', text: block.text },
        ]
      : [
          { ...block, input: {} },
          { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
        ];
  return [
    event('content_block_start', { index, content_block: empty }),
    event('content_block_delta', { index, delta }),
    event('content_block_stop', { index }),
  ];
}

function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}
