import type { EndedEntry, Journal, JournalEntry, JournalSummary, StartedEntry } from './journal.ts';

/** Nothing survives the process. */
export function createMemoryJournal(): Journal {
  const entries = new Map<string, JournalEntry[]>();

  function summaryOf(id: string): JournalSummary | undefined {
    const all = entries.get(id);
    const started = all?.[0] as StartedEntry | undefined;
    const last = all?.at(-1);
    if (started === undefined) return undefined;
    return { id, started, ...(last?.type === 'ended' ? { ended: last } : {}) };
  }

  return {
    append(id, entry) {
      const all = entries.get(id) ?? [];
      entries.set(id, all);
      if (entry.type === 'ended') all.splice(1);
      all.push(entry);
    },
    read: (id) => [...(entries.get(id) ?? [])],
    find: summaryOf,
    list(workflow, { limit, after }) {
      const all = [...entries.keys()]
        .toReversed()
        .flatMap((id) => summaryOf(id) ?? [])
        .filter(({ started }) => started.workflow === workflow);
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
      return all.slice(from, from + limit);
    },
    active: () => [...entries.keys()].filter((id) => summaryOf(id)?.ended === undefined),
    prune(before) {
      for (const [id, all] of entries) {
        const last = all.at(-1) as EndedEntry;
        if (last.type === 'ended' && last.atMs < before) entries.delete(id);
      }
    },
    close: () => undefined,
  };
}
