/** How a call ended. */
export type Arrival<T> = { readonly key: string; readonly value: T };

/**
 * Lets the fibers of one execution run in an order that can be repeated. Fibers are counted while they run; only when all of them
 * wait is the next answer handed over, in the order in which answers were written down. So the same answers in the same order make
 * the same execution, branches that share variables included.
 */
export interface Scheduler<T> {
  /** A fiber begins to run. */
  enter: () => void;
  /** A fiber ended, or waits for something else than an answer. */
  leave: () => void;
  /** The running fiber waits for the answer of that key. */
  wait: (key: string) => Promise<T>;
  /** An answer is there. */
  arrive: (arrival: Arrival<T>) => void;
  /** Nothing is handed over any more. */
  stop: () => void;
}

export interface SchedulerHooks {
  /** Fibers run again. */
  onBusy: () => void;
  /** All of them wait, and no answer is there. */
  onIdle: () => void;
  /** An answer is there that nobody waits for. */
  onStray: (key: string) => void;
}

export function createScheduler<T>({ onBusy, onIdle, onStray }: SchedulerHooks): Scheduler<T> {
  const waiting = new Map<string, (value: T) => void>();
  const arrived: Arrival<T>[] = [];
  let running = 0;
  let isStopped = false;

  function enter(): void {
    if (running === 0) onBusy();
    running += 1;
  }

  function leave(): void {
    running -= 1;
    handOver();
    if (running === 0) onIdle();
  }

  function handOver(): void {
    if (running > 0 || isStopped) return;
    const next = arrived.shift();
    if (next === undefined) return;
    const resume = waiting.get(next.key);
    if (resume === undefined) {
      onStray(next.key);
      return;
    }
    waiting.delete(next.key);
    running += 1;
    resume(next.value);
  }

  return {
    enter,
    leave,
    wait: (key) =>
      new Promise((resolve) => {
        waiting.set(key, resolve);
        leave();
      }),
    arrive(arrival) {
      arrived.push(arrival);
      const wasIdle = running === 0;
      if (!wasIdle || isStopped) return;
      onBusy();
      handOver();
      if (running === 0) onIdle();
    },
    stop() {
      isStopped = true;
      waiting.clear();
      arrived.length = 0;
    },
  };
}
