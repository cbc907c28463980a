import { describe, expect, it } from '@jest/globals';
import { joinAlike } from '../../../../shared/adapters/google/join-alike.ts';

describe('joinAlike', () => {
  /** Work that ends when it is told to. */
  function held() {
    const begun: { end: (value: number) => void; fail: (error: Error) => void }[] = [];
    const work = () =>
      new Promise<number>((resolve, reject) => {
        begun.push({ end: resolve, fail: reject });
      });
    return { begun, work };
  }

  it('begins at once for the first, and once more for all who came while that was under way', async () => {
    const { begun, work } = held();
    const join = joinAlike<number>();
    const first = join('a', work);
    const others = [join('a', work), join('a', work), join('a', work)];
    expect(begun).toHaveLength(1);
    begun[0]?.end(1);
    expect(await first).toBe(1);
    expect(begun).toHaveLength(2);
    const last = join('a', work);
    begun[1]?.end(2);
    expect(await Promise.all(others)).toEqual([2, 2, 2]);
    begun[2]?.end(3);
    expect(await last).toBe(3);
    expect(begun).toHaveLength(3);
  });

  it('begins anew for who comes when nothing is under way', async () => {
    const { begun, work } = held();
    const join = joinAlike<number>();
    for (const n of [0, 1]) {
      const result = join('a', work);
      begun[n]?.end(n);
      expect(await result).toBe(n);
    }
  });

  it('keeps what is not alike apart', async () => {
    const { begun, work } = held();
    const join = joinAlike<number>();
    const both = [join('a', work), join('b', work)];
    expect(begun).toHaveLength(2);
    begun[1]?.end(2);
    begun[0]?.end(1);
    expect(await Promise.all(both)).toEqual([1, 2]);
  });

  it('tells a failure to those that shared it, and to nobody else', async () => {
    const { begun, work } = held();
    const join = joinAlike<number>();
    const first = join('a', work);
    const second = join('a', work);
    begun[0]?.fail(new Error('first'));
    await expect(first).rejects.toThrow('first');
    begun[1]?.end(2);
    expect(await second).toBe(2);
  });
});
