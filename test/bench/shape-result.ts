import type { Bill } from '../support/count-ports.ts';
import { median, percentile } from './percentile.ts';
import type { Recount } from './recount-records.ts';
import { countTasks, type Shape } from './shapes.ts';
import type { Timing } from './submit-shape.ts';

/** One shape, as `--json` prints it. */
export interface ShapeResult {
  shape: string;
  /** Median of the runs, and what follows from it. */
  wallMs: number;
  perTaskMs: number;
  tasksPerSecond: number;
  /** Dependency finished → dependent started, over the tasks of all runs. */
  p50Ms: number;
  p95Ms: number;
  /** The platform's processes after the last run. */
  rssMb: number;
  writesPerTask: number;
  readsPerTask: number;
  countsPerTask: number;
  messagesPerTask: number;
  retriedCommits: number;
  duplicates: number;
  missing: number;
  early: number;
}

export interface BenchedShape {
  result: ShapeResult;
  /** Why the bench fails; empty: all is as it must be. */
  problems: string[];
}

/** What was measured of one shape. */
export interface Measured {
  timings: Timing[];
  rss: number;
  bill: Bill;
  /** How many runs of the shape the bill is of. */
  billed: number;
  recounts: Recount[];
}

const MEGABYTE = 2 ** 20;

export function resultOf(shape: Shape, { timings, rss, bill, billed, recounts }: Measured): ShapeResult {
  const tasks = countTasks(shape);
  const wallMs = median(timings.map((timing) => timing.wallMs));
  const gapsMs = timings.flatMap((timing) => timing.gapsMs);
  const all = (kind: 'duplicates' | 'missing' | 'early'): number =>
    recounts.reduce((sum, recount) => sum + recount[kind], 0);
  const perTask = (count: number): number => rounded(count / tasks / billed);
  const messages = Object.values(bill.messages).reduce((sum, count) => sum + count, 0);
  return {
    shape: shape.name,
    wallMs,
    perTaskMs: rounded(wallMs / tasks),
    tasksPerSecond: Math.round((tasks / wallMs) * 1_000),
    p50Ms: percentile(gapsMs, 0.5),
    p95Ms: percentile(gapsMs, 0.95),
    rssMb: Math.round(rss / MEGABYTE),
    writesPerTask: perTask(bill.taskWrites + bill.otherWrites),
    readsPerTask: perTask(bill.reads),
    countsPerTask: perTask(bill.counts),
    messagesPerTask: perTask(messages),
    retriedCommits: bill.conflicts,
    duplicates: all('duplicates'),
    missing: all('missing'),
    early: all('early'),
  };
}

/** Why a recount is not of all that was asked for; empty: it is. */
export function judgeRecount(recount: Recount, shape: Shape, times: number): string[] {
  const due = { runs: shape.plans.length * times, tasks: countTasks(shape) * times };
  const isAll = recount.runs === due.runs && recount.tasks === due.tasks;
  const counted = `${recount.runs} runs and ${recount.tasks} tasks are stored, ${due.runs} and ${due.tasks} are due`;
  return [...recount.problems, ...(isAll ? [] : [counted])];
}

export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
