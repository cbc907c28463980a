import { startHostProcess } from './host-process.ts';
import { diamond } from './shapes.ts';
import { createSubmitter } from './submit-shape.ts';

/** How the platform's process grows, as `--json` prints it. After a full garbage collection. */
export interface MemoryResult {
  memory: string;
  rssMbAt100: number;
  rssMbAt1000: number;
  heapMbAt100: number;
  heapMbAt1000: number;
  rssGrowthPercent: number;
  heapGrowthPercent: number;
  goalPercent: number;
}

const FIRST = 100;
const RUNS = 1_000;
/** Submitted together. */
const BATCH = 50;
const GOAL_PERCENT = 10;
const MEGABYTE = 2 ** 20;
/**
 * V8 doubles its young generation when it sees fit: one step of 50 MB that says nothing about what is kept. So it has that
 * size from the start. `gc()` is what makes figures comparable at all.
 */
const FLAGS = ['--expose-gc', '--min-semi-space-size=32'];

/** A thousand six-task runs through one process. */
export async function benchMemory(): Promise<MemoryResult> {
  const host = await startHostProcess({ flags: FLAGS });
  const submitter = createSubmitter(host);
  const batch = { name: `many-runs-${BATCH}`, plans: Array.from({ length: BATCH }, diamond) };
  const submit = async (runs: number): Promise<{ rss: number; heapUsed: number }> => {
    for (let done = 0; done < runs; done += BATCH) await submitter.submit(batch);
    return host.ask('memory');
  };
  try {
    const first = await submit(FIRST);
    const last = await submit(RUNS - FIRST);
    return {
      memory: `${RUNS} six-task runs`,
      rssMbAt100: megabytes(first.rss),
      rssMbAt1000: megabytes(last.rss),
      heapMbAt100: megabytes(first.heapUsed),
      heapMbAt1000: megabytes(last.heapUsed),
      rssGrowthPercent: growthPercent(first.rss, last.rss),
      heapGrowthPercent: growthPercent(first.heapUsed, last.heapUsed),
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

function growthPercent(from: number, to: number): number {
  return Math.round((to / from - 1) * 1_000) / 10;
}
