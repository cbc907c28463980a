import { fileURLToPath } from 'node:url';
import type { Bill } from '../../support/count-ports.ts';
import { judgeBill } from '../../support/judge-bill.ts';
import { runRecount } from '../run-recount.ts';
import { type BenchedShape, judgeRecount, resultOf } from '../shape-result.ts';
import type { Shape } from '../shapes.ts';
import { limitsFor, type Timing } from '../submit-shape.ts';
import { type CloudHost, startCloudHost } from './cloud-host.ts';
import type { FunctionBill } from './function-questions.ts';

export interface BenchCloudOptions {
  runs: number;
  isProfiled: boolean;
}

const RECOUNT = fileURLToPath(new URL('recount.ts', import.meta.url));
/** The emulators compile themselves while they run. */
const WARM_UPS = 2;

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
  for (let run = 0; run < WARM_UPS; run += 1) await host.submit(shape);
  const before = await host.bill();
  if (isProfiled) await host.profile();
  const timings: Timing[] = [];
  for (let run = 0; run < runs; run += 1) timings.push(await host.submit(shape));
  const profiles = isProfiled ? await host.saveProfiles(shape.name) : [];
  const bill = billBetween(before, await host.bill());
  const rss = await host.rss();
  const recount = await runRecount(RECOUNT, JSON.stringify(host.place));
  const plans = Array.from({ length: runs }, () => shape.plans).flat();
  const problems = [...judgeBill(plans, bill), ...judgeRecount(recount, shape, runs + WARM_UPS)];
  return {
    result: resultOf(shape, { timings, rss, bill, billed: runs, recounts: [recount] }),
    problems: problems.map((problem) => `${shape.name}: ${problem}`),
    profiles,
  };
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
