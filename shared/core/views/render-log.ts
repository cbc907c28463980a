import { z } from 'zod';
import { type TranscriptLine, transcriptLine } from '../../messages/transcript-line.ts';
import { plainText } from './plain-text.ts';

/** Lines of a prompt or of what a tool answered; the transcript has all of it. */
const MAX_QUOTED_LINES = 12;
/** Lines of what an agent says: people read these. */
const MAX_SAID_LINES = 200;
const MAX_LINE_CHARS = 400;

type Turn = Extract<TranscriptLine, { kind: 'turn' }>;
type Block = Turn['turn']['blocks'][number];

/** Transcript lines for people: what the agent said, ran and read. What is no transcript line is shown as it is. */
export function renderLog(ndjson: string): string {
  const lines = ndjson.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => plainText(renderLine(line))).join('');
}

function renderLine(text: string): string {
  const line = parseLine(text);
  if (line === undefined) return `          ? ${text.slice(0, MAX_LINE_CHARS)}\n`;
  const shown = render(line).filter((part) => part !== '');
  const [first, ...rest] = shown.join('\n').split('\n');
  if (first === undefined || first === '') return '';
  const time = new Date(line.at).toISOString().slice(11, 19);
  return [`${time}  ${first}`, ...rest.map((part) => `          ${part}`)].join('\n').concat('\n');
}

function parseLine(text: string): TranscriptLine | undefined {
  try {
    return transcriptLine.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function render(line: TranscriptLine): string[] {
  switch (line.kind) {
    case 'stage':
      return [`── ${line.stage} · ${seconds(line.ms)}`];
    case 'turn':
      return renderTurn(line);
    case 'tool': {
      const verdict = line.allowed ? (line.isError ? 'failed' : 'ok') : 'DENIED';
      return [`[${line.name} ${verdict} · ${seconds(line.ms)}] ${line.summary || cut(line.input, 1)}`];
    }
    case 'checkpoint':
      return ['· workspace saved'];
    case 'checks':
      return line.results.flatMap(({ command, passed, summary, exitCode, outputTail, durationMs }) => [
        `${passed ? '✔' : '✘'} ${command} · ${summary || `exit code ${exitCode ?? 'none'}`} · ${seconds(durationMs)}`,
        ...(passed ? [] : [indent(lastLines(outputTail))]),
      ]);
    case 'note':
      break;
  }
  return [`· ${cut(line.text, MAX_SAID_LINES)}`];
}

function renderTurn({ turn, model, usage }: Turn): string[] {
  const tokens =
    usage === undefined
      ? ''
      : ` · ${usage.input + usage.cacheRead + usage.cacheWrite} in, ${usage.output} out`;
  const header = turn.role === 'assistant' ? [`◆ ${model ?? 'model'}${tokens}`] : [];
  return [...header, ...turn.blocks.map((block) => renderBlock(block, turn.role))];
}

function renderBlock(block: Block, role: Turn['turn']['role']): string {
  switch (block.type) {
    case 'text':
      return role === 'assistant'
        ? cut(block.text, MAX_SAID_LINES)
        : `« ${cut(block.text, MAX_QUOTED_LINES)}`;
    case 'tool_use':
      return `→ ${block.name} ${cut(JSON.stringify(block.input ?? {}), MAX_QUOTED_LINES)}`;
    case 'tool_result':
      return `← ${block.isError ? 'error: ' : ''}${cut(block.content, MAX_QUOTED_LINES)}`;
    case 'thinking':
      return `~ ${cut(block.text, MAX_QUOTED_LINES)}`;
    case 'opaque':
      break;
  }
  // Only its provider understands it.
  return '';
}

function cut(text: string, maxLines: number): string {
  const lines = text.trimEnd().split('\n');
  const shown = lines.slice(0, maxLines).map((line) => {
    return line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)}…` : line;
  });
  const left = lines.length - shown.length;
  return [...shown, ...(left > 0 ? [`… ${left} more lines in the transcript`] : [])].join('\n');
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-MAX_QUOTED_LINES).join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
