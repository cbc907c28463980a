import { parentPort } from 'node:worker_threads';
import { checkProperties, type Verdict } from '../support/world/check-properties.ts';

type Series = Parameters<typeof checkProperties>[0];

async function verdictOf(series: Series): Promise<Verdict> {
  try {
    return await checkProperties(series);
  } catch (error) {
    return { cases: 1, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Answers each series with its verdict. */
parentPort?.on('message', (series: Series) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  void verdictOf(series).then((verdict) => parentPort?.postMessage(verdict));
});
