import type { TaskView } from '../../../shared/messages/run-view.ts';
import type { TranscriptLine } from '../../../shared/messages/transcript-line.ts';
import { testStory } from './test-story.ts';
import type { TimelineLine } from './timeline-line.ts';
import { changedLines, count, oneLine } from './wording.ts';

const AGENT_WIDTH = 20;
const LANE_WIDTH = 11;
const CHANGE_WIDTH = 9;
const MAX_TEXT_CHARS = 90;

type Line = Omit<TimelineLine, 'atMs'>;

/** An ended task: who did it, in which lane, what it changed, how its tests went. */
export function taskLine(task: TaskView, lines: readonly TranscriptLine[]): Line {
  if (task.state === 'succeeded' && task.kind === 'integrate') return integrateLine(task, lines);
  if (task.state === 'succeeded' && task.kind === 'review') return reviewLine(task);
  const who = `${task.agent.padEnd(AGENT_WIDTH - 1)} ${task.lane.padEnd(LANE_WIDTH - 1)} `;
  const attempts = task.attempts.length > 1 ? ` (attempt ${task.attempts.length})` : '';
  if (task.state !== 'succeeded') {
    const why = oneLine(task.history.at(-1)?.note ?? '', MAX_TEXT_CHARS);
    return {
      kind: 'task',
      subject: task.id,
      text: `${who}${task.state}${attempts}${why === '' ? '' : `: ${why}`}`,
      isBad: true,
    };
  }
  return { kind: 'task', subject: task.id, text: `${who}${resultText(task, lines)}${attempts}`.trimEnd() };
}

function resultText(task: TaskView, lines: readonly TranscriptLine[]): string {
  if (task.changeSet === undefined) return oneLine(task.summary ?? '', MAX_TEXT_CHARS - 30);
  return `${changedLines(task.changeSet).padEnd(CHANGE_WIDTH)}  ${testStory(lines, task.checks)}`.trimEnd();
}

/** What the integrator noted before checks that are not of an applied change set. */
const BEFORE_CHANGES = /as they were before/;

/** One `checks` line of the transcript stands for each change set that was applied. */
function integrateLine(task: TaskView, lines: readonly TranscriptLine[]): Line {
  const after = lines.filter((line, index) => line.kind === 'checks' && !isNoteBefore(lines[index - 1]));
  const rounds = after.map((line) => (line.kind === 'checks' ? line.results : []));
  const line = { kind: 'integrate' as const, subject: task.id.replace(/-1$/, '') };
  if (rounds.length === 0) return { ...line, text: oneLine(task.summary ?? '', MAX_TEXT_CHARS) };
  const green = rounds.filter(
    (results) => results.some(({ command }) => command !== '') && !isRed(results),
  ).length;
  const checks = green === rounds.length ? 'ok' : `${green} of ${rounds.length} ok`;
  return { ...line, text: `${count(rounds.length, 'change set')}, checks after each: ${checks}` };
}

function isNoteBefore(line: TranscriptLine | undefined): boolean {
  return line?.kind === 'note' && BEFORE_CHANGES.test(line.text);
}

function isRed(results: TaskView['checks']): boolean {
  return results.some(({ command, passed }) => command !== '' && !passed);
}

function reviewLine(task: TaskView): Line {
  const verdict = task.review?.verdict;
  const remarks = task.review?.remarks.length ?? 0;
  const text =
    verdict === undefined ? 'no verdict' : verdict === 'approve' ? 'approved' : 'changes requested';
  const who = task.agent.padEnd(AGENT_WIDTH);
  return {
    kind: 'review',
    subject: task.id,
    text: `${who}${text}${remarks === 0 ? '' : `, ${count(remarks, 'remark')}`}`,
    isBad: verdict !== 'approve',
  };
}
