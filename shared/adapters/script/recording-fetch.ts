import type { Block } from '../../ports/model.ts';
import { readConversation } from './conversation.ts';
import { decodeRequest, type WireRequest } from './messages-protocol.ts';
import { readRecordedAnswer, type RecordedAnswer } from './recorded-answer.ts';
import { formatScript, type Script, type ScriptTurn } from './script-file.ts';

export interface RecordingFetchConfig {
  /** Of the script. */
  name: string;
  fetch: typeof globalThis.fetch;
  /** Stores the whole script as text, all or nothing; called after each answer, one call at a time. */
  write: (text: string) => Promise<void>;
  /** Epoch milliseconds. */
  now: () => number;
}

/** A longer answer passes by, but is not recorded. */
const MAX_RECORDED_BYTES = 8 * 1024 * 1024;

/**
 * A `fetch` for the Anthropic Messages API that writes every answer that came whole into a script, whoever asked: the
 * platform itself or its jobs through the gateway. Replayed, the script gives the same answers to the same conversations;
 * durations, times and commit hashes in them may differ. Headers, keys and thinking are never recorded.
 * An answer ends for its reader only after it is written; when that fails, so does the answer.
 */
export function createRecordingFetch(config: RecordingFetchConfig): typeof globalThis.fetch {
  const recorder = createRecorder(config);
  return async (input, init) => {
    const response = await config.fetch(input, init);
    const request = response.ok && isMessagesCall(input) ? decodeBody(init?.body) : undefined;
    if (request === undefined || response.body === null) return response;
    const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false;
    const body = teed(response.body, async (text) => {
      const answer = readRecordedAnswer(text, isStream);
      if (answer !== undefined) await recorder.record(request, answer);
    });
    const { status, statusText, headers } = response;
    return new Response(body, { status, statusText, headers });
  };
}

function isMessagesCall(input: string | URL | Request): boolean {
  const url = input instanceof Request ? input.url : String(input);
  return new URL(url).pathname.endsWith('/v1/messages');
}

/** Only what is sent as text, as the client library and the gateway do, is understood. */
function decodeBody(body: unknown): WireRequest | undefined {
  if (typeof body !== 'string') return undefined;
  try {
    const request = decodeRequest(JSON.parse(body));
    return typeof request === 'string' ? undefined : request;
  } catch {
    return undefined;
  }
}

/** The same bytes; `whole` gets them as text before the end is told. An answer that breaks off is not handed over. */
function teed(
  body: ReadableStream<Uint8Array>,
  whole: (text: string) => Promise<void>,
): ReadableStream<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length;
        if (bytes <= MAX_RECORDED_BYTES) chunks.push(chunk);
        controller.enqueue(chunk);
      },
      async flush() {
        if (bytes <= MAX_RECORDED_BYTES) await whole(Buffer.concat(chunks).toString('utf8'));
      },
    }),
  );
}

/** One script of all calls of the process. The same conversation again replaces its answer. */
function createRecorder({ name, write, now }: RecordingFetchConfig): {
  record: (request: WireRequest, answer: RecordedAnswer) => Promise<void>;
} {
  const turns: ScriptTurn[] = [];
  const models = new Set<string>();
  let writing = Promise.resolve();
  const day = new Date(now()).toISOString().slice(0, 10);
  return {
    async record(request, answer) {
      const turn = toScriptTurn(request, answer, turns.length + 1);
      models.add(answer.model);
      const known = turns.findIndex(
        ({ agent, when }) => agent === turn.agent && when.fingerprint === turn.when.fingerprint,
      );
      if (known >= 0) turns[known] = { ...turn, id: turns[known]?.id ?? turn.id };
      else turns.push(turn);
      const note = `recorded on ${day} from ${[...models].join(', ')}`;
      const text = formatScript({ name, note, turns } satisfies Script);
      writing = writing.catch(() => undefined).then(() => write(text));
      await writing;
    },
  };
}

function toScriptTurn(
  request: WireRequest,
  { blocks, stop, usage }: RecordedAnswer,
  number: number,
): ScriptTurn {
  const { agent = 'unknown', task, assistantTurns, fingerprint } = readConversation(request);
  const text = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
  const toolUses = blocks.flatMap((block: Block) =>
    block.type === 'tool_use' ? [{ name: block.name, input: toObject(block.input) }] : [],
  );
  return {
    id: `${task ?? agent}-${assistantTurns + 1}-${number}`,
    agent,
    when: { ...(task !== undefined && { task }), assistantTurns, fingerprint },
    answer: { ...(text !== '' && { text }), ...(toolUses.length > 0 && { tool_uses: toolUses }), stop },
    usage,
  };
}

function toObject(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null ? { ...input } : {};
}
