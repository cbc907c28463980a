import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type HostProcess, startHostProcess } from './host-process.ts';
import { judgeBill } from '../support/judge-bill.ts';
import { median, percentile } from './percentile.ts';
import type { Recount } from './recount-records.ts';
import { countTasks, type Shape } from './shapes.ts';
import { createSubmitter, limitsFor, type SubmitShape, type Timing } from './submit-shape.ts';

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
  /** The platform's process after the last run. */
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

export interface BenchShapeOptions {
  runs: number;
  /** Where a CPU profile of the timed runs goes. */
  profile?: string;
}

const RECOUNT = fileURLToPath(new URL('recount.ts', import.meta.url));
/** Counting ends before the first sweep, so that the figures are those of the shape alone. */
const NO_SWEEP = { PENSTOCK_SWEEP_SECONDS: '3600' };
const MEGABYTE = 2 ** 20;

/** Timed runs in one process, and a counted run in another, so that counting costs the timed ones nothing. */
export async function benchShape(shape: Shape, options: BenchShapeOptions): Promise<BenchedShape> {
  const timed = await timeShape(shape, options);
  const counted = await countShape(shape);
  const tasks = countTasks(shape);
  const wallMs = median(timed.timings.map((timing) => timing.wallMs));
  const gapsMs = timed.timings.flatMap((timing) => timing.gapsMs);
  const { bill } = counted;
  const both = (kind: 'duplicates' | 'missing' | 'early'): number =>
    timed.recount[kind] + counted.recount[kind];
  const messages = Object.values(bill.messages).reduce((sum, count) => sum + count, 0);
  return {
    result: {
      shape: shape.name,
      wallMs,
      perTaskMs: rounded(wallMs / tasks),
      tasksPerSecond: Math.round((tasks / wallMs) * 1_000),
      p50Ms: percentile(gapsMs, 0.5),
      p95Ms: percentile(gapsMs, 0.95),
      rssMb: Math.round(timed.rss / MEGABYTE),
      writesPerTask: rounded((bill.taskWrites + bill.otherWrites) / tasks),
      readsPerTask: rounded(bill.reads / tasks),
      countsPerTask: rounded(bill.counts / tasks),
      messagesPerTask: rounded(messages / tasks),
      retriedCommits: bill.conflicts,
      duplicates: both('duplicates'),
      missing: both('missing'),
      early: both('early'),
    },
    problems: [...judgeBill(shape.plans, bill), ...timed.problems, ...counted.problems].map(
      (problem) => `${shape.name}: ${problem}`,
    ),
  };
}

async function timeShape(shape: Shape, { runs, profile }: BenchShapeOptions) {
  return withHost(shape, {}, async (host, submit) => {
    await submit(shape);
    if (profile !== undefined) await host.ask('profile');
    const timings: Timing[] = [];
    for (let run = 0; run < runs; run += 1) timings.push(await submit(shape));
    if (profile !== undefined) await host.ask('saveProfile', profile);
    const { rss } = await host.ask('memory');
    return { timings, rss, ...(await recountOf(host, shape, runs + 1)) };
  });
}

async function countShape(shape: Shape) {
  return withHost(shape, { isCounted: true, env: NO_SWEEP }, async (host, submit) => {
    await submit(shape);
    const bill = await host.ask('bill');
    const recounted = await recountOf(host, shape, 1);
    const writes = bill.taskWrites + bill.otherWrites;
    const differs = `${writes} writes were counted at the ports, SQLite changed ${bill.rowsChanged} rows of documents`;
    const problems = [...recounted.problems, ...(writes === bill.rowsChanged ? [] : [differs])];
    return { bill, recount: recounted.recount, problems };
  });
}

async function withHost<T>(
  shape: Shape,
  options: Parameters<typeof startHostProcess>[0] & object,
  work: (host: HostProcess, submit: SubmitShape) => Promise<T>,
): Promise<T> {
  const host = await startHostProcess({ ...options, env: { ...limitsFor([shape]), ...options.env } });
  const submitter = createSubmitter(host);
  try {
    return await work(host, submitter.submit);
  } finally {
    submitter.close();
    host.remove();
  }
}

/** Stops the platform, and has a new process judge what it stored. */
async function recountOf(
  host: HostProcess,
  shape: Shape,
  times: number,
): Promise<{ recount: Recount; problems: string[] }> {
  await host.stop();
  const text = await new Promise<string>((resolve, reject) => {
    const args = ['--disable-warning=ExperimentalWarning', RECOUNT, host.dataFolder];
    execFile(process.execPath, args, (error, stdout) =>
      stdout === '' ? reject(error ?? new Error('the recount said nothing')) : resolve(stdout),
    );
  });
  const recount = JSON.parse(text) as Recount;
  const due = { runs: shape.plans.length * times, tasks: countTasks(shape) * times };
  const isAll = recount.runs === due.runs && recount.tasks === due.tasks;
  const counted = `${recount.runs} runs and ${recount.tasks} tasks are stored, ${due.runs} and ${due.tasks} are due`;
  return { recount, problems: [...recount.problems, ...(isAll ? [] : [counted])] };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
