import type { Paint } from './paint.ts';
import { duration } from './wording.ts';

/** One thing that happened in a run, as a line of its timeline. */
export interface TimelineLine {
  kind:
    | 'accepted'
    | 'plan'
    | 'graph'
    | 'task'
    | 'retry'
    | 'integrate'
    | 'review'
    | 'branch'
    | 'pull-request'
    | 'decision'
    | 'end';
  /** Since the run was accepted. Absent: the line goes on with the one before. */
  atMs?: number;
  /** Short name of what it is about: a task id, `plan`, `PR #2`. */
  subject: string;
  text: string;
  /** What came of it, behind an arrow. */
  outcome?: string;
  isBad?: boolean;
}

const TIME_WIDTH = 5;
const SUBJECT_WIDTH = 12;
const TEXT_WIDTH = 36;

/** ` 0.2s  webhook     issues.labeled, signature ok        → run 7f3a accepted` */
export function renderTimelineLine(line: TimelineLine, paint: Paint): string {
  const time = (line.atMs === undefined ? '' : duration(line.atMs)).padStart(TIME_WIDTH);
  const subject = line.subject.padEnd(SUBJECT_WIDTH - 2);
  const text =
    line.outcome === undefined ? line.text : `${line.text.padEnd(TEXT_WIDTH - 1)} → ${line.outcome}`;
  const shown = line.isBad === true ? paint.bad(text) : text;
  return `${paint.dim(time)}  ${paint.bold(subject)}  ${shown}`.trimEnd();
}
