/** One message of a server-sent event stream. */
export interface StreamMessage {
  id?: string;
  data: string;
}

/** A message larger than this is not ours. */
const MAX_MESSAGE_CHARS = 1024 * 1024;

/** The messages of a `text/event-stream` body, until it ends. Comments (keep-alives) are not messages. */
export async function* readEventStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamMessage> {
  let waiting: string[] = [];
  for await (const line of readLines(body)) {
    if (line !== '') waiting.push(line);
    else {
      const message = messageOf(waiting);
      waiting = [];
      if (message !== undefined) yield message;
    }
  }
}

/** The lines of a body as they come, whatever their ends. */
export async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_MESSAGE_CHARS)
      throw new Error(`a line of the stream is longer than ${MAX_MESSAGE_CHARS} characters`);
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

function messageOf(lines: string[]): StreamMessage | undefined {
  const of = (field: string): string[] =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).replace(/^ /, ''));
  const data = of('data');
  if (data.length === 0) return undefined;
  const id = of('id').at(-1);
  return { ...(id === undefined ? {} : { id }), data: data.join('\n') };
}
