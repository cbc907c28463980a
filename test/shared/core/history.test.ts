import { describe, expect, it } from '@jest/globals';
import {
  appendHistory,
  foldHistory,
  MAX_HISTORY,
  rootHash,
  type HistoryEntry,
} from '../../../shared/core/history.ts';

const told = (...states: string[]) =>
  states.reduce<HistoryEntry[]>(
    (history, state, at) => appendHistory(history, { at, state, by: 'test' }),
    [],
  );

describe('a history', () => {
  it('tells the state that was entered last', () => {
    expect(foldHistory(told('pending', 'running', 'failed'))).toBe('failed');
    expect(foldHistory([])).toBeUndefined();
  });

  it('leaves the older array as it was', () => {
    const before = told('pending');
    appendHistory(before, { at: 1, state: 'running', by: 'test' });
    expect(before).toHaveLength(1);
  });

  it.each<[string, (entry: HistoryEntry) => HistoryEntry]>([
    ['state', (entry) => ({ ...entry, state: 'succeeded' })],
    ['time', (entry) => ({ ...entry, at: 99 })],
    ['author', (entry) => ({ ...entry, by: 'mallory' })],
    ['note', (entry) => ({ ...entry, note: 'nothing happened' })],
  ])('is broken by another %s in any entry', (_, forge) => {
    const history = told('pending', 'running', 'failed');
    for (const index of history.keys()) {
      expect(foldHistory(history.map((entry, n) => (n === index ? forge(entry) : entry)))).toBeUndefined();
    }
  });

  it('is broken by a missing or moved entry', () => {
    const [first, second, third] = told('pending', 'running', 'failed') as [
      HistoryEntry,
      HistoryEntry,
      HistoryEntry,
    ];
    expect(foldHistory([first, third])).toBeUndefined();
    expect(foldHistory([second, first, third])).toBeUndefined();
  });

  it('grows no longer than its limit', () => {
    const full = Array.from({ length: MAX_HISTORY }, () => 'x').reduce<HistoryEntry[]>(
      (history) => appendHistory(history, { at: 1, state: 'x', by: 'test' }),
      [],
    );
    expect(appendHistory(full, { at: 2, state: 'y', by: 'test' })).toEqual(full);
  });

  it('has a root that changes with any of the last hashes and with their order', () => {
    const [a, b] = [told('pending', 'failed'), told('pending', 'succeeded')];
    const roots = [
      rootHash([a, b]),
      rootHash([b, a]),
      rootHash([a, told('pending')]),
      rootHash([a, []]),
      rootHash([a]),
    ];
    expect(new Set(roots).size).toBe(roots.length);
  });
});
