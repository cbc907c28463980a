import type { Clock } from '../../ports/clock.ts';

interface Open {
  at: number;
  expire(): void;
}

export interface AckDeadline {
  /** What `work` failed with, or `late` when it takes longer than the deadline; `undefined` when it succeeded. */
  limit(work: Promise<void>): Promise<unknown>;
  /** Ends the timer. */
  stop(): void;
}

/** The same deadline for many at once, with one timer: who began first is due first. */
export function createAckDeadline(clock: Clock, deadlineMs: number): AckDeadline {
  const open = new Set<Open>();
  let timer: AbortController | undefined;

  function arm(): void {
    const [first] = open;
    if (timer !== undefined || first === undefined) return;
    timer = new AbortController();
    clock.sleep(Math.max(0, first.at - clock.now()), timer.signal).then(expire, () => undefined);
  }

  function expire(): void {
    timer = undefined;
    const now = clock.now();
    for (const each of open) {
      if (each.at > now) break;
      open.delete(each);
      each.expire();
    }
    arm();
  }

  return {
    limit: (work) =>
      new Promise((resolve) => {
        const each = {
          at: clock.now() + deadlineMs,
          // Made only when it is needed: an error that is made looks up its stack.
          expire: () => resolve(new Error(`not acknowledged in ${deadlineMs} ms`)),
        };
        open.add(each);
        arm();
        const end = (failure?: unknown) => {
          open.delete(each);
          resolve(failure);
        };
        work.then(
          () => end(),
          (error: unknown) => end(error ?? new Error(String(error))),
        );
      }),
    stop() {
      timer?.abort();
      timer = undefined;
    },
  };
}
