import { refs } from '../../shared/core/refs.ts';
import type { Ports } from '../../shared/core/ports.ts';

/** Changes closer together than this are read once. */
const SETTLE_MS = 200;

export interface RunWatch {
  /** Also tells of changes of these tasks from now on, and no longer of others. New tasks always come with a change of the run. */
  follow(tasks: readonly string[]): void;
  /** Resolves after a change that was not yet told, or after `ms`. */
  next(ms: number): Promise<void>;
  stop(): void;
}

/** Tells when there is something to read again; a change before the first call of `next` is not lost. */
export function watchRun(ports: Pick<Ports, 'store' | 'clock'>, tenant: string, run: string): RunWatch {
  const stopped = new AbortController();
  const tasks = new Map<string, () => void>();
  let isChanged = false;
  let wake = (): void => undefined;
  const onChange = (): void => {
    isChanged = true;
    wake();
  };
  const stopRun = ports.store.watch(refs.run(tenant, run), onChange);

  return {
    follow(ids) {
      const wanted = new Set(ids);
      for (const [id, stop] of tasks) {
        if (wanted.has(id)) continue;
        stop();
        tasks.delete(id);
      }
      for (const id of wanted) {
        if (!tasks.has(id)) tasks.set(id, ports.store.watch(refs.task(tenant, run, id), onChange));
      }
    },
    async next(ms) {
      if (!isChanged && !stopped.signal.aborted) {
        const waiting = new AbortController();
        const change = new Promise<void>((resolve) => (wake = resolve));
        await Promise.race([change, pause(ports, ms, AbortSignal.any([waiting.signal, stopped.signal]))]);
        waiting.abort();
      }
      if (!isChanged) return;
      await pause(ports, SETTLE_MS, stopped.signal);
      isChanged = false;
    },
    stop() {
      stopRun();
      for (const stop of tasks.values()) stop();
      tasks.clear();
      stopped.abort();
    },
  };
}

/** Ends early, and quietly, when the signal says so. */
function pause({ clock }: Pick<Ports, 'clock'>, ms: number, signal: AbortSignal): Promise<void> {
  return clock.sleep(ms, signal).catch(() => undefined);
}
