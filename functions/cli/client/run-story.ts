import type { RunEvent, RunView, TaskView } from '../../../shared/messages/run-view.ts';
import type { TranscriptLine } from '../../../shared/messages/transcript-line.ts';
import { isTransient } from '../../../shared/ports/penstock-error.ts';
import { acceptedLine, decisionLine, endLines, planLines } from '../render/run-lines.ts';
import { taskLine } from '../render/task-line.ts';
import type { TimelineLine } from '../render/timeline-line.ts';
import { oneLine } from '../render/wording.ts';
import type { ApiClient } from './api-client.ts';
import { isTerminalStage } from './follow-events.ts';
import { runAnswers } from './run-answers.ts';
import { readTranscript } from './transcripts.ts';

/** Turns the events of a run, in order, into the lines of its timeline. What a line says is read from the run when its event comes. */
export interface RunStory {
  /** The newest view that was read. */
  run(): RunView;
  tell(event: RunEvent): Promise<TimelineLine[]>;
}

type Line = Omit<TimelineLine, 'atMs'>;

const ENDED_TASK = new Set(['succeeded', 'failed', 'cancelled', 'skipped']);

export async function openRunStory(client: ApiClient, runId: string): Promise<RunStory> {
  let run = (await runAnswers.run(client, runId)).view;
  let hasPlan = false;
  let wasDraft = false;

  async function aboutRun({ state, note }: RunEvent): Promise<Line[]> {
    if (state === 'accepted') return [acceptedLine(run)];
    run = (await runAnswers.run(client, runId)).view;
    wasDraft ||=
      run.pullRequest?.ready === false || (state === 'awaiting_review' && /\bdraft\b/.test(note ?? ''));
    const lines: Line[] = state === 'planning' ? [] : await tellPlan();
    if (state === 'awaiting_approval') lines.push(decisionLine(run));
    if (isTerminalStage(state)) lines.push(...endLines(run, wasDraft));
    return lines;
  }

  async function tellPlan(): Promise<Line[]> {
    if (hasPlan || run.plan === undefined) return [];
    hasPlan = true;
    return planLines(run, (await runAnswers.plan(client, runId)).view);
  }

  async function aboutTask(id: string, event: RunEvent): Promise<Line[]> {
    if (event.state === 'pending' && event.note !== undefined)
      return [event.by.startsWith(`${id}/`) ? retryLine(id, event) : noteLine(id, event)];
    if (event.type === 'decision_needed') return [{ ...noteLine(id, event), isBad: true }];
    if (!ENDED_TASK.has(event.state)) return [];
    const task = (await runAnswers.tasks(client, runId)).view.find((candidate) => candidate.id === id);
    if (task === undefined || (task.kind === 'plan' && event.state === 'succeeded')) return [];
    return [withBase(run, taskLine(task, await newestTranscript(client, task)))];
  }

  return {
    run: () => run,
    async tell(event) {
      const lines = event.task === undefined ? await aboutRun(event) : await aboutTask(event.task, event);
      const atMs = Date.parse(event.at) - Date.parse(run.createdAt);
      return lines.map((line) => (line.kind === 'graph' ? line : { ...line, atMs }));
    },
  };
}

/** What a person is asked, or has decided, about a task. */
function noteLine(id: string, { note = '' }: RunEvent): Line {
  return { kind: 'decision', subject: id, text: oneLine(note, 300) };
}

function retryLine(id: string, event: RunEvent): Line {
  const attempt = event.by.split('/').at(-1) ?? '';
  return {
    kind: 'retry',
    subject: id,
    text: `attempt ${attempt} failed: ${oneLine(event.note ?? '', 100)}; it is tried again`,
    isBad: true,
  };
}

function withBase(run: RunView, line: Line): Line {
  if (line.kind !== 'integrate' || run.baseSha === undefined) return line;
  return {
    ...line,
    text: line.text.replace(/^(\d+ change sets?),/, `$1 on base ${run.baseSha.slice(0, 7)},`),
  };
}

/** A line without its tests is better than no line: a transcript that cannot be read now is left out. */
async function newestTranscript(client: ApiClient, task: TaskView): Promise<TranscriptLine[]> {
  const generation = task.attempts.at(-1)?.generation;
  if (generation === undefined || task.lane !== 'job') return [];
  const lines: TranscriptLine[] = [];
  try {
    for await (const { line } of readTranscript(
      client,
      { run: task.run, task: task.id, generation },
      { follow: false },
    )) {
      if (line !== undefined) lines.push(line);
    }
  } catch (error) {
    if (!isTransient(error)) throw error;
  }
  return lines;
}
