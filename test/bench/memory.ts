import { startHostProcess } from './host-process.ts';
import { diamond } from './shapes.ts';
import { createSubmitter } from './submit-shape.ts';

/** How the platform's process grows, as `--json` prints it: each figure after a full garbage collection. */
export interface MemoryResult {
  memory: string;
  /** After 100, 1,000 and 2,000 runs. */
  rssMb: number[];
  heapMb: number[];
  /** Over the last 1,000 runs. */
  rssGrowthPercent: number;
  heapGrowthPercent: number;
  goalPercent: number;
}

/**
 * Runs after which it is measured. What counts is the growth from the second to the third: in between the first two V8 takes its
 * working size, in one step of about 60 MB when it doubles its young generation, and keeps nothing of it.
 */
export const MEASURED_AT = [100, 1_000, 2_000];
/** Submitted together. */
const BATCH = 50;
const GOAL_PERCENT = 10;
const MEGABYTE = 2 ** 20;
/** What makes figures comparable at all. */
const FLAGS = ['--expose-gc'];

/** Two thousand six-task runs through one process. */
export async function benchMemory(): Promise<MemoryResult> {
  const host = await startHostProcess({ flags: FLAGS });
  const submitter = createSubmitter(host);
  const batch = { name: `many-runs-${BATCH}`, plans: Array.from({ length: BATCH }, diamond) };
  try {
    const measured: { rss: number; heapUsed: number }[] = [];
    let done = 0;
    for (const runs of MEASURED_AT) {
      for (; done < runs; done += BATCH) await submitter.submit(batch);
      measured.push(await host.ask('memory'));
    }
    const rss = measured.map((each) => each.rss);
    const heap = measured.map((each) => each.heapUsed);
    return {
      memory: 'six-task runs',
      rssMb: rss.map(megabytes),
      heapMb: heap.map(megabytes),
      rssGrowthPercent: growthPercent(rss),
      heapGrowthPercent: growthPercent(heap),
      goalPercent: GOAL_PERCENT,
    };
  } finally {
    submitter.close();
    host.remove();
  }
}

function megabytes(bytes: number): number {
  return Math.round((bytes / MEGABYTE) * 10) / 10;
}

function growthPercent(values: number[]): number {
  const [before = 0, after = 0] = values.slice(-2);
  return Math.round((after / before - 1) * 1_000) / 10;
}
