import { setTimeout as sleep } from 'node:timers/promises';

/** What Cloud Scheduler does: a call of the sweep, again and again, one at a time. A failed one is not repeated before its time. */
export function startScheduler(url: string, everyMs: number): { answered(): number; stop(): Promise<void> } {
  let answered = 0;
  const stopped = new AbortController();
  const { signal } = stopped;
  const sweepOnce = async (): Promise<void> => {
    await sleep(everyMs, undefined, { signal });
    const response = await fetch(`${url}/internal/sweep`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      signal,
    });
    await response.arrayBuffer();
    if (response.ok) answered += 1;
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) await sweepOnce().catch(() => undefined);
  };
  const done = run();
  return {
    /** Sweeps that went well so far. */
    answered: () => answered,
    stop: async () => {
      stopped.abort();
      await done;
    },
  };
}
