import type { Clock } from '../ports/clock.ts';

/** What one process read a moment ago, by key. */
export interface RecentReads<T> {
  /** The value as it was at most `maxAgeMs` ago, else what `load` finds; who asks meanwhile waits for the same load. A load that fails is remembered by nobody. */
  read(key: string, load: () => Promise<T>): Promise<T>;
  /** Known from now on, as of `readAt`, milliseconds. @default now */
  keep(key: string, value: T, readAt?: number): T;
  /** The value that was kept last, however old. */
  last(key: string): T | undefined;
}

/** Remembers at most `maxEntries`; the one that was kept longest ago gives way. */
export function createRecentReads<T>(
  clock: Pick<Clock, 'now'>,
  { maxAgeMs, maxEntries }: { maxAgeMs: number; maxEntries: number },
): RecentReads<T> {
  const known = new Map<string, { value: T; readAt: number }>();
  const loading = new Map<string, Promise<T>>();

  function keep(key: string, value: T, readAt = clock.now()): T {
    known.delete(key);
    const [oldest] = known.keys();
    if (known.size >= maxEntries && oldest !== undefined) known.delete(oldest);
    known.set(key, { value, readAt });
    return value;
  }

  async function loadNow(key: string, load: () => Promise<T>): Promise<T> {
    const readAt = clock.now();
    try {
      const value = await load();
      // What was kept meanwhile is newer than what this read found.
      const kept = known.get(key);
      return kept !== undefined && kept.readAt >= readAt ? kept.value : keep(key, value, readAt);
    } finally {
      loading.delete(key);
    }
  }

  return {
    keep,
    last: (key) => known.get(key)?.value,
    read(key, load) {
      const found = known.get(key);
      if (found !== undefined && clock.now() - found.readAt < maxAgeMs) return Promise.resolve(found.value);
      const running = loading.get(key) ?? loadNow(key, load);
      loading.set(key, running);
      return running;
    },
  };
}
