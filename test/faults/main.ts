import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { replayed, type Verdict } from '../support/world/check-properties.ts';

/**
 * The properties of the engine, in as many scenarios as the first argument says, on all cores. Ends in one line alone:
 * `N passed, N failed, N skipped`, counted in scenarios. A failure says how it is replayed.
 */
const CASES = 20_000;
/** Scenarios of one seed. */
const SERIES = 100;
const PROGRESS_EVERY = 1_000;

const { seed = Date.now() % 1_000_000_000, path } = replayed();
const wanted = path === undefined ? Number(process.argv[2] ?? CASES) : 1;
const series = Array.from({ length: Math.ceil(wanted / SERIES) }, (_, n) => ({
  seed: seed + n,
  cases: Math.min(SERIES, wanted - n * SERIES),
  ...(path === undefined ? {} : { path }),
}));
let passed = 0;
let failed = 0;

function report({ cases, failure }: Verdict): void {
  const before = passed;
  passed += failure === undefined ? cases : cases - 1;
  if (Math.floor(before / PROGRESS_EVERY) !== Math.floor(passed / PROGRESS_EVERY))
    process.stdout.write(`${passed} of ${wanted}\n`);
  if (failure === undefined) return;
  failed += 1;
  process.stdout.write(`${failure}\n`);
}

/** Series after series, until there is none left or one has failed anywhere. */
async function work(): Promise<void> {
  const worker = new Worker(new URL('properties-worker.ts', import.meta.url));
  try {
    while (failed === 0) {
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
process.stdout.write(`${passed} passed, ${failed} failed, ${wanted - passed - failed} skipped\n`);
process.exitCode = failed > 0 ? 1 : 0;
