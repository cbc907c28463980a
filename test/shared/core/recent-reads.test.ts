import { describe, expect, it } from '@jest/globals';
import { createRecentReads } from '../../../shared/core/recent-reads.ts';

function world(maxEntries = 10) {
  let now = 1_000;
  const recent = createRecentReads<number>({ now: () => now }, { maxAgeMs: 100, maxEntries });
  const pass = (ms: number) => void (now += ms);
  return { recent, pass };
}

describe('What was read a moment ago', () => {
  it('is read again when it is too old', async () => {
    const { recent, pass } = world();
    expect(await recent.read('a', () => Promise.resolve(1))).toBe(1);
    pass(99);
    expect(await recent.read('a', () => Promise.resolve(2))).toBe(1);
    pass(1);
    expect(await recent.read('a', () => Promise.resolve(3))).toBe(3);
  });

  it('is loaded once for all who ask meanwhile, and again after a failure', async () => {
    const { recent } = world();
    let loads = 0;
    const fail = () => {
      loads += 1;
      return Promise.reject(new Error('no'));
    };
    const answers = await Promise.allSettled([recent.read('a', fail), recent.read('a', fail)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(loads).toBe(1);
    expect(await recent.read('a', () => Promise.resolve(2))).toBe(2);
  });

  it('is not replaced by what a slower read had found before', async () => {
    const { recent, pass } = world();
    const slow = Promise.withResolvers<number>();
    const reading = recent.read('a', () => slow.promise);
    pass(1);
    recent.keep('a', 2);
    slow.resolve(1);
    expect(await reading).toBe(2);
    expect(recent.last('a')).toBe(2);
  });

  it('gives way, longest kept first, where there is no room', () => {
    const { recent } = world(2);
    recent.keep('a', 1);
    recent.keep('b', 2);
    recent.keep('a', 3);
    recent.keep('c', 4);
    expect(['a', 'b', 'c'].map((key) => recent.last(key))).toEqual([3, undefined, 4]);
  });
});
