import { z } from 'zod';
import type { Block, Stop, Usage } from '../../ports/model.ts';
import { contentBlock, toStop } from './messages-protocol.ts';

/** What a provider answered, whole. */
export interface RecordedAnswer {
  blocks: Block[];
  stop: Stop;
  usage: Usage;
  model: string;
}

const count = z.int().nonnegative().nullish();
const wireUsage = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});
const message = z.looseObject({
  model: z.string(),
  content: z.array(z.record(z.string(), z.unknown())),
  stop_reason: z.string().nullish(),
  usage: wireUsage,
});
type WireAnswer = z.infer<typeof message>;

const streamEvent = z.union([
  z.looseObject({ type: z.literal('message_start'), message }),
  z.looseObject({
    type: z.literal('content_block_start'),
    index: z.int(),
    content_block: z.record(z.string(), z.unknown()),
  }),
  z.looseObject({
    type: z.literal('content_block_delta'),
    index: z.int(),
    delta: z.looseObject({ type: z.string() }),
  }),
  z.looseObject({
    type: z.literal('message_delta'),
    delta: z.looseObject({ stop_reason: z.string().nullish() }),
    usage: wireUsage,
  }),
  z.looseObject({ type: z.literal('message_stop') }),
]);
type StreamEvent = z.infer<typeof streamEvent>;

/** Reads an answer of the Messages API, streamed or not; `undefined` for one that is not whole. */
export function readRecordedAnswer(text: string, isStream: boolean): RecordedAnswer | undefined {
  const answer = isStream ? assemble(readEvents(text)) : message.safeParse(parseJson(text)).data;
  if (answer?.stop_reason === undefined || answer.stop_reason === null) return undefined;
  const blocks = z.array(contentBlock).safeParse(answer.content).data;
  if (blocks === undefined) return undefined;
  const { usage } = answer;
  return {
    blocks,
    stop: toStop(answer.stop_reason),
    usage: {
      input: usage.input_tokens ?? 0,
      output: usage.output_tokens ?? 0,
      cacheRead: usage.cache_read_input_tokens ?? 0,
      cacheWrite: usage.cache_creation_input_tokens ?? 0,
    },
    model: answer.model,
  };
}

function readEvents(text: string): StreamEvent[] {
  return text.split(/\r?\n/).flatMap((line) => {
    if (!line.startsWith('data:')) return [];
    return streamEvent.safeParse(parseJson(line.slice('data:'.length))).data ?? [];
  });
}

/** The message that the events tell; `undefined` without its beginning or its end. */
function assemble(events: StreamEvent[]): WireAnswer | undefined {
  let answer: WireAnswer | undefined;
  const json = new Map<number, string>();
  for (const event of events) {
    if (event.type === 'message_start') answer = event.message;
    if (answer === undefined) return undefined;
    if (event.type === 'content_block_start') answer.content[event.index] = event.content_block;
    if (event.type === 'content_block_delta')
      addDelta(answer.content[event.index], event.delta, (part) =>
        json.set(event.index, `${json.get(event.index) ?? ''}${part}`),
      );
    if (event.type === 'message_delta')
      answer = {
        ...answer,
        stop_reason: event.delta.stop_reason,
        usage: { ...answer.usage, ...told(event.usage) },
      };
  }
  if (answer === undefined || events.at(-1)?.type !== 'message_stop') return undefined;
  for (const [index, text] of json) {
    const input = parseJson(text);
    if (input === undefined) return undefined;
    answer.content[index] = { ...answer.content[index], input };
  }
  return answer;
}

function addDelta(
  block: Record<string, unknown> | undefined,
  delta: Record<string, unknown>,
  addJson: (part: string) => void,
): void {
  const { text, partial_json: json } = delta;
  if (block !== undefined && typeof text === 'string')
    block['text'] = `${typeof block['text'] === 'string' ? block['text'] : ''}${text}`;
  if (typeof json === 'string' && json !== '') addJson(json);
}

function told(usage: z.infer<typeof wireUsage>): z.infer<typeof wireUsage> {
  return Object.fromEntries(
    Object.entries(usage).filter(([, value]) => value !== null && value !== undefined),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
