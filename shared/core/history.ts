import { createHash, hash } from 'node:crypto';

/** One change of a record's state, with why. `hash` covers the entry and the hash before it. */
export interface HistoryEntry {
  seq: number;
  at: number;
  /** The state after this entry. */
  state: string;
  /** Who or what: `intake`, `sweep`, an attempt such as `api/2`, a person by hash. */
  by: string;
  note?: string;
  hash: string;
}

/** A record explains at most this many changes; older middle entries are never dropped, the record refuses more. */
export const MAX_HISTORY = 200;

/** Appends without touching the old array. An entry that is not a change of state is still recorded, with the state as it is. */
export function appendHistory(
  history: readonly HistoryEntry[],
  entry: Omit<HistoryEntry, 'seq' | 'hash'>,
): HistoryEntry[] {
  if (history.length >= MAX_HISTORY) return [...history];
  const previous = history.at(-1)?.hash ?? '';
  const next = { seq: history.length, ...entry };
  return [...history, { ...next, hash: hashOf(previous, next) }];
}

/** The state that the history tells, or `undefined` for a broken chain. */
export function foldHistory(history: readonly HistoryEntry[]): string | undefined {
  let previous = '';
  for (const { hash: stored, ...entry } of history) {
    if (hashOf(previous, entry) !== stored) return undefined;
    previous = stored;
  }
  return history.at(-1)?.state;
}

/** One hash over the last hashes of several records, in the order given. */
export function rootHash(histories: readonly (readonly HistoryEntry[])[]): string {
  const root = createHash('sha256');
  for (const history of histories) root.update(history.at(-1)?.hash ?? '-');
  return root.digest('hex');
}

function hashOf(previous: string, entry: Omit<HistoryEntry, 'hash'>): string {
  const { seq, at, state, by, note } = entry;
  return hash('sha256', JSON.stringify([previous, seq, at, state, by, note ?? null]));
}
