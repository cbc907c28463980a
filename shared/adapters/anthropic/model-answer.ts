import type Anthropic from '@anthropic-ai/sdk';
import type { Block, ModelAnswer, ModelProvider, Stop, Usage } from '../../ports/model.ts';
import type { RawContent } from './raw-content.ts';

/** `askedModel` signs the raw content: it is the id that the next request of the conversation carries. */
export function toModelAnswer(
  message: Anthropic.Message,
  provider: ModelProvider,
  askedModel: string,
): ModelAnswer {
  const content = plainCopy(message.content);
  const raw: RawContent = { model: askedModel, content };
  return {
    turn: { role: 'assistant', blocks: content.map(toBlock), raw: { provider, content: raw } },
    stop: toStop(message.stop_reason),
    usage: toUsage(message.usage),
    model: message.model,
  };
}

/** The SDK's blocks carry lazy properties and buffers; the transcript needs what was on the wire. */
function plainCopy(content: Anthropic.ContentBlock[]): Anthropic.ContentBlock[] {
  const copy: Anthropic.ContentBlock[] = JSON.parse(JSON.stringify(content));
  return copy;
}

function toBlock(block: Anthropic.ContentBlock): Block {
  if (block.type === 'text') return { type: 'text', text: block.text };
  if (block.type === 'tool_use') {
    return { type: 'tool_use', id: block.id, name: block.name, input: block.input };
  }
  if (block.type === 'thinking' && block.thinking !== '') return { type: 'thinking', text: block.thinking };
  return { type: 'opaque' };
}

const stops: Partial<Record<Anthropic.StopReason, Stop>> = {
  end_turn: 'end',
  stop_sequence: 'end',
  tool_use: 'tool_use',
  max_tokens: 'truncated',
  refusal: 'refused',
  model_context_window_exceeded: 'context_full',
};

/** What is not known, or still paused after all continuations, is an answer cut short. */
function toStop(reason: Anthropic.StopReason | null): Stop {
  return (reason === null ? undefined : stops[reason]) ?? 'truncated';
}

function toUsage(usage: Anthropic.Usage): Usage {
  return {
    input: usage.input_tokens,
    output: usage.output_tokens,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    cacheWrite: usage.cache_creation_input_tokens ?? 0,
  };
}
