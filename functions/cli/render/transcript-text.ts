import type { TranscriptLine } from '../../../shared/messages/transcript-line.ts';
import type { Paint } from './paint.ts';
import { oneLine, safeText } from './wording.ts';

const MAX_INPUT_CHARS = 200;
const MAX_TAIL_LINES = 12;

/** A line of a transcript for a person: what the agent said, ran and read. Tool results are told by the `tool` line, not repeated. */
export function transcriptText(line: TranscriptLine, paint: Paint): string[] {
  const at = paint.dim(new Date(line.at).toISOString().slice(11, 23));
  switch (line.kind) {
    case 'stage':
      return [`${at}  ${paint.dim(`stage ${line.stage} ${Math.round(line.ms)} ms`)}`];
    case 'turn':
      return turnText(line, at, paint);
    case 'tool':
      return [toolText(line, at, paint)];
    case 'checks':
      return line.results
        .filter(({ command }) => command !== '')
        .flatMap((result) => checkText(result, at, paint));
    case 'note':
      return [`${at}  note   ${safeText(line.text)}`];
    case 'checkpoint':
      return [`${at}  ${paint.dim('checkpoint of the workspace')}`];
    default:
      return line satisfies never;
  }
}

function turnText(line: Extract<TranscriptLine, { kind: 'turn' }>, at: string, paint: Paint): string[] {
  const { role, blocks } = line.turn;
  const who = role === 'assistant' ? paint.bold('agent') : paint.bold('asked');
  return blocks.flatMap((block) => {
    if (block.type === 'text' && block.text.trim() !== '')
      return [`${at}  ${who}  ${safeText(block.text.trim())}`];
    if (block.type === 'thinking' && block.text.trim() !== '')
      return [`${at}  ${paint.dim(`thinks ${safeText(block.text.trim())}`)}`];
    return [];
  });
}

function toolText(line: Extract<TranscriptLine, { kind: 'tool' }>, at: string, paint: Paint): string {
  const how = line.allowed ? (line.isError ? paint.bad('failed') : 'ok') : paint.bad('denied');
  const summary = line.summary === '' ? '' : `: ${oneLine(line.summary, MAX_INPUT_CHARS)}`;
  return `${at}  ran    ${line.name} ${oneLine(line.input, MAX_INPUT_CHARS)} → ${how}${summary} (${Math.round(line.ms)} ms)`;
}

/** What a failed command said last stands below it. */
function checkText(
  result: Extract<TranscriptLine, { kind: 'checks' }>['results'][number],
  at: string,
  paint: Paint,
): string[] {
  const { command, passed, exitCode, summary, outputTail } = result;
  const how = passed
    ? paint.good('ok')
    : paint.bad(`failed, ${exitCode === null ? 'stopped' : `exit code ${exitCode}`}`);
  const head = `${at}  check  ${oneLine(command, MAX_INPUT_CHARS)} → ${how}${summary === '' ? '' : `: ${oneLine(summary, MAX_INPUT_CHARS)}`}`;
  if (passed) return [head];
  const tail = safeText(outputTail).trimEnd().split('\n').slice(-MAX_TAIL_LINES);
  return [head, ...tail.map((text) => `                     ${text}`)];
}
