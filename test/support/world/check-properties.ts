import * as fc from 'fast-check';
import { playScenario } from './play-scenario.ts';
import { scenario } from './scenario.ts';

export interface Verdict {
  cases: number;
  /** What to read when it fails: which promises, how to replay it, and the smallest scenario that breaks them. */
  failure?: string;
}

/** Many times what the cases of one call need; shrinking stops there, too. */
const LIMIT_MS = 300_000;
/** Lines of what happened, in a report. */
const TRACE_LINES = 80;

/** Plays so many random scenarios; the same seed plays the same ones. `path`: only that one, as a report names it. */
export async function checkProperties(options: {
  cases: number;
  seed: number;
  path?: string;
}): Promise<Verdict> {
  const property = fc.asyncProperty(scenario, async (given) => {
    const { breaches } = await playScenario(given);
    if (breaches.length > 0) throw new Error(breaches.join('\n'));
  });
  const { cases, seed, path } = options;
  const details = await fc.check(property, {
    numRuns: cases,
    seed,
    interruptAfterTimeLimit: LIMIT_MS,
    markInterruptAsFailure: true,
    ...(path === undefined ? {} : { path }),
  });
  if (!details.failed) return { cases: details.numRuns };
  const [given] = details.counterexample ?? [];
  const { breaches, trace } =
    given === undefined
      ? { breaches: [`nothing was found in ${LIMIT_MS} ms`], trace: [] }
      : await playScenario(given);
  const failure = [
    `broken after ${details.numRuns} cases and ${details.numShrinks} steps of shrinking:`,
    ...breaches.map((breach) => `- ${breach}`),
    `replay: PENSTOCK_TEST_SEED=${details.seed} PENSTOCK_TEST_PATH=${details.counterexamplePath}`,
    `the smallest scenario: ${JSON.stringify(given)}`,
    'what happened, at the end:',
    ...trace.slice(-TRACE_LINES),
  ].join('\n');
  return { cases: details.numRuns, failure };
}

/** The seed and path that a replay names. */
export function replayed(): { seed?: number; path?: string } {
  const { PENSTOCK_TEST_SEED: seed, PENSTOCK_TEST_PATH: path } = process.env;
  return {
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
  };
}
