import { fileURLToPath } from 'node:url';
import type { Bill } from '../../support/count-ports.ts';
import { judgeBill } from '../../support/judge-bill.ts';
import type { Recount } from '../recount-records.ts';
import { runRecount } from '../run-recount.ts';
import { type BenchedShape, judgeRecount, resultOf } from '../shape-result.ts';
import type { Shape } from '../shapes.ts';
import { limitsFor, type Timing } from '../submit-shape.ts';
import { addBills, type CloudHost, startCloudHost } from './cloud-host.ts';
import type { FunctionBill } from './function-questions.ts';

export interface BenchCloudOptions {
  runs: number;
  isProfiled: boolean;
}

const RECOUNT = fileURLToPath(new URL('recount.ts', import.meta.url));
/** The emulators and the functions compile themselves while they run: each shape is warmed up by about as much work. */
const WARM_UP_TASKS = 400;

/** Timed and counted runs are the same ones here: what counting costs is lost among what travels between processes. */
export async function benchCloudShape(
  shape: Shape,
  options: BenchCloudOptions,
): Promise<BenchedShape & { profiles: string[] }> {
  const host = await startCloudHost(limitsFor([shape]));
  try {
    return await bench(host, shape, options);
  } finally {
    await host.stop();
  }
}

async function bench(host: CloudHost, shape: Shape, { runs, isProfiled }: BenchCloudOptions) {
  const warmUps: PlayedRun[] = [];
  const timed: PlayedRun[] = [];
  while (warmUps.length * shape.plans.flat().length < WARM_UP_TASKS) warmUps.push(await playRun(host, shape));
  if (isProfiled) await host.profile();
  while (timed.length < runs) timed.push(await playRun(host, shape));
  const profiles = isProfiled ? await host.saveProfiles(shape.name) : [];
  const bill = billBetween(
    addBills(timed.map(({ before }) => before)),
    addBills(timed.map(({ after }) => after)),
  );
  const recounts = [...warmUps, ...timed].map(({ recount }) => recount);
  const plans = Array.from({ length: runs }, () => shape.plans).flat();
  const problems = [...judgeBill(plans, bill), ...recounts.flatMap((each) => judgeRecount(each, shape, 1))];
  const timings = timed.map(({ timing }) => timing);
  return {
    result: resultOf(shape, { timings, rss: await host.rss(), bill, billed: runs, recounts }),
    problems: problems.map((problem) => `${shape.name}: ${problem}`),
    profiles,
  };
}

interface PlayedRun {
  timing: Timing;
  before: FunctionBill;
  after: FunctionBill;
  recount: Recount;
}

/** Once, from an empty database to an empty database. */
async function playRun(host: CloudHost, shape: Shape): Promise<PlayedRun> {
  const before = await host.bill();
  const timing = await host.submit(shape);
  const after = await host.bill();
  const recount = await runRecount(RECOUNT, JSON.stringify(host.place));
  await host.clear();
  return { timing, before, after, recount };
}

/** `conflicts`: every commit that was sent beyond those that were applied, whoever sent it again and why. */
function billBetween(before: FunctionBill, after: FunctionBill): Bill {
  const since = (key: Exclude<keyof FunctionBill, 'messages'>): number => after[key] - before[key];
  const topics = Object.entries(after.messages);
  return {
    taskWrites: since('taskWrites'),
    otherWrites: since('otherWrites'),
    reads: since('reads'),
    emptyAnswers: since('emptyAnswers'),
    counts: since('counts'),
    messages: Object.fromEntries(
      topics.map(([topic, count]) => [topic, count - (before.messages[topic] ?? 0)]),
    ),
    conflicts: since('commitRequests') - since('commits'),
  };
}
