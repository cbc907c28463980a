import { describe, expect, it } from '@jest/globals';
import { lazily } from '../../../shared/runtime/lazily.ts';

interface Adder {
  add(a: number, b: number): Promise<number>;
  name(): Promise<string>;
}

const adder: Adder = {
  add: (a, b) => Promise.resolve(a + b),
  name: () => Promise.resolve('adder'),
};

describe('An object that is loaded lazily', () => {
  it('is loaded once, by the first call of a method', async () => {
    let loads = 0;
    const lazy = lazily<Adder, 'add' | 'name'>(() => {
      loads += 1;
      return Promise.resolve(adder);
    }, ['add', 'name']);
    expect(loads).toBe(0);
    expect(await Promise.all([lazy.add(1, 2), lazy.add(3, 4), lazy.name()])).toEqual([3, 7, 'adder']);
    expect(loads).toBe(1);
  });

  it('that could not be loaded is tried again by the next call', async () => {
    let isBroken = true;
    const lazy = lazily<Adder, 'name'>(
      () => (isBroken ? Promise.reject(new Error('not yet')) : Promise.resolve(adder)),
      ['name'],
    );
    await expect(lazy.name()).rejects.toThrow('not yet');
    isBroken = false;
    expect(await lazy.name()).toBe('adder');
  });
});
