import type Anthropic from '@anthropic-ai/sdk';
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import type { Block, ModelProvider, ModelRequest, Turn } from '../../ports/model.ts';
import { readRawContent } from './raw-content.ts';

type Params = Pick<
  Anthropic.MessageCreateParamsNonStreaming,
  'model' | 'system' | 'messages' | 'tools' | 'output_config' | 'thinking'
>;

export interface MessageParams {
  params: Params;
  /** Assistant blocks that only another provider or model understands and that are therefore not sent. */
  dropped: number;
}

const cached = { cache_control: { type: 'ephemeral' } } as const;

/**
 * The request as the Messages API takes it, without what differs between an answer and a count.
 * The prefix (tools, system, earlier turns) has the same bytes in every call of one attempt; the two cache marks,
 * behind the system prompt and on the newest turn, are not part of what the provider compares.
 */
export function toMessageParams(request: ModelRequest, provider: ModelProvider): MessageParams {
  let dropped = 0;
  const messages: Anthropic.MessageParam[] = [];
  for (const turn of request.turns) {
    const message = toMessage(turn, provider, request.model);
    dropped += message.dropped;
    if (message.content.length > 0) messages.push({ role: turn.role, content: message.content });
  }
  const params: Params = {
    model: request.model,
    messages: markNewestTurn(messages),
    // Between tools, current models speak in thinking blocks; without a summary the transcript would fall silent.
    thinking: { type: 'adaptive', display: 'summarized' },
  };
  if (request.system !== '') params.system = [{ type: 'text', text: request.system, ...cached }];
  if (request.tools.length > 0) params.tools = request.tools.map(toTool);
  if (request.outputSchema !== undefined) {
    const schema: Record<string, unknown> = transformJSONSchema(request.outputSchema);
    params.output_config = { format: { type: 'json_schema', schema } };
  }
  return { params, dropped };
}

function toTool({ name, description, inputSchema }: ModelRequest['tools'][number]): Anthropic.Tool {
  return { name, description, input_schema: { type: 'object', ...inputSchema } };
}

function toMessage(
  turn: Turn,
  provider: ModelProvider,
  model: string,
): { content: Anthropic.ContentBlockParam[]; dropped: number } {
  const raw = turn.raw?.provider === provider ? readRawContent(turn.raw.content) : undefined;
  if (raw === undefined) {
    const content = turn.blocks.flatMap(toContentBlock);
    return { content, dropped: turn.blocks.filter(isPrivate).length };
  }
  // A thinking block is signed for the model that produced it; another one refuses the request.
  const content = raw.model === model ? raw.content : raw.content.filter((block) => !isSigned(block));
  return { content, dropped: raw.content.length - content.length };
}

function isPrivate({ type }: Block): boolean {
  return type === 'thinking' || type === 'opaque';
}

function isSigned({ type }: Anthropic.ContentBlockParam): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

function toContentBlock(block: Block): Anthropic.ContentBlockParam[] {
  // The API refuses empty text.
  if (block.type === 'text' && block.text !== '') return [{ type: 'text', text: block.text }];
  if (block.type === 'tool_use') {
    return [{ type: 'tool_use', id: block.id, name: block.name, input: block.input }];
  }
  if (block.type === 'tool_result') {
    const { toolUseId, content, isError } = block;
    return [{ type: 'tool_result', tool_use_id: toolUseId, content, is_error: isError }];
  }
  return [];
}

/** Marks the last block of the last turn, so that the next call reads everything up to here from the cache. */
function markNewestTurn(messages: Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  const last = messages.at(-1);
  if (last === undefined || last.role !== 'user' || typeof last.content === 'string') return messages;
  const block = last.content.at(-1);
  if (block === undefined || (block.type !== 'text' && block.type !== 'tool_result')) return messages;
  return [
    ...messages.slice(0, -1),
    { ...last, content: [...last.content.slice(0, -1), { ...block, ...cached }] },
  ];
}
