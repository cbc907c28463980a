import { fileURLToPath } from 'node:url';
import { type HostProcess, startHostProcess } from './host-process.ts';
import { judgeBill } from '../support/judge-bill.ts';
import type { Recount } from './recount-records.ts';
import { runRecount } from './run-recount.ts';
import { type BenchedShape, judgeRecount, resultOf } from './shape-result.ts';
import type { Shape } from './shapes.ts';
import { createSubmitter, limitsFor, type SubmitShape, type Timing } from './submit-shape.ts';

export interface BenchShapeOptions {
  runs: number;
  /** Where a CPU profile of the timed runs goes. */
  profile?: string;
}

const RECOUNT = fileURLToPath(new URL('recount.ts', import.meta.url));
/** Counting ends before the first sweep, so that the figures are those of the shape alone. */
const NO_SWEEP = { PENSTOCK_SWEEP_SECONDS: '3600' };

/** Timed runs in one process, and a counted run in another, so that counting costs the timed ones nothing. */
export async function benchShape(shape: Shape, options: BenchShapeOptions): Promise<BenchedShape> {
  const timed = await timeShape(shape, options);
  const counted = await countShape(shape);
  return {
    result: resultOf(shape, {
      ...timed,
      bill: counted.bill,
      billed: 1,
      recounts: [timed.recount, counted.recount],
    }),
    problems: [...judgeBill(shape.plans, counted.bill), ...timed.problems, ...counted.problems].map(
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
  const recount = await runRecount(RECOUNT, host.dataFolder);
  return { recount, problems: judgeRecount(recount, shape, times) };
}
