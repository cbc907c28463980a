import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CrashPoint } from '../support/crash/crash-point.ts';
import { type CrashRun, crashRun } from '../support/crash/crash-scenario.ts';
import { allPoints, type Sample, samplePoints } from '../support/crash/sample-points.ts';

/** Replays a run's choice of crashes: both are printed. */
const SEED = Number(process.env['PENSTOCK_SEED'] ?? Date.now() % 1_000_000);
/** How many of the recorded calls; `all` takes both sides of each, which is more than an hour. */
const CRASHES = process.env['PENSTOCK_CRASHES'] ?? '24';
const AT_ONCE = 2;
const ONE_MS = 90_000;
const ALL_MS = 3 * 60 * 60_000;

interface Outcome {
  sample: Sample;
  run: CrashRun;
}

/** Runs them `AT_ONCE` at a time, in order. */
async function crashAll(samples: Sample[]): Promise<Outcome[]> {
  const left = [...samples];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let sample = left.shift(); sample !== undefined; sample = left.shift()) {
      outcomes.push({ sample, run: await crashRun({ point: sample.point }) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return outcomes;
}

function say({ n, point }: Sample, total: number): string {
  return `call ${n} of ${total}: ${point.when} ${point.call} no. ${point.nth} of ${point.process}`;
}
