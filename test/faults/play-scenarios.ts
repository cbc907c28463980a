import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { replayed, type Verdict } from '../support/world/check-properties.ts';
import type { Tally } from './tally.ts';

/** Scenarios of one seed. */
const SERIES = 100;
const PROGRESS_EVERY = 1_000;

/** The properties of the engine, in so many random scenarios, on all cores, until one is broken. A failure says how it is replayed. */
export async function playScenarios(count: number): Promise<Tally> {
  const { seed = Date.now() % 1_000_000_000, path } = replayed();
  const wanted = path === undefined ? count : 1;
  const series = Array.from({ length: Math.ceil(wanted / SERIES) }, (_, n) => ({
    seed: seed + n,
    cases: Math.min(SERIES, wanted - n * SERIES),
    ...(path === undefined ? {} : { path }),
  }));
  const tally = { passed: 0, failed: 0, skipped: 0 };

  function report({ cases, failure }: Verdict): void {
    const before = tally.passed;
    tally.passed += failure === undefined ? cases : cases - 1;
    if (Math.floor(before / PROGRESS_EVERY) !== Math.floor(tally.passed / PROGRESS_EVERY))
      process.stdout.write(`${tally.passed} of ${wanted} scenarios\n`);
    if (failure === undefined) return;
    tally.failed += 1;
    process.stdout.write(`${failure}\n`);
  }

  /** Series after series, until there is none left or one has failed anywhere. */
  async function work(): Promise<void> {
    const worker = new Worker(new URL('properties-worker.ts', import.meta.url));
    try {
      while (tally.failed === 0) {
        const next = series.shift();
        if (next === undefined) return;
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
        worker.postMessage(next);
        const [verdict] = (await once(worker, 'message')) as [Verdict];
        report(verdict);
      }
    } finally {
      await worker.terminate();
    }
  }

  process.stdout.write(`${wanted} scenarios from PENSTOCK_TEST_SEED=${seed}\n`);
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), series.length) }, work));
  return { ...tally, skipped: wanted - tally.passed - tally.failed };
}
