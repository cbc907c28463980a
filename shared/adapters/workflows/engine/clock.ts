/** Time as executions see it. */
export interface RunnerClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `work` once that time has come, unless the function it returns is called before. */
  at(dueMs: number, work: () => void): () => void;
  /** Called when something begins that is not waiting for time; the function it returns when that is over. */
  busy?(): () => void;
}

/** Does `work`, in which a virtual clock does not move on. */
export async function busyWith<T>(clock: RunnerClock, work: () => Promise<T>): Promise<T> {
  const free = clock.busy?.();
  try {
    return await work();
  } finally {
    free?.();
  }
}
