import { describe, expect, it } from '@jest/globals';
import { type BenchOptions, readOptions } from './read-options.ts';
import { DEFAULT_SHAPES } from './shapes.ts';

describe('the options of the bench', () => {
  it('measure the four shapes on the emulators, and nothing that is of one process', () => {
    const { shapes, ...options } = readOptions(['--store', 'firestore']) as BenchOptions;
    expect(shapes.map(({ name }) => name)).toEqual(DEFAULT_SHAPES);
    expect(options).toMatchObject({ store: 'firestore', doors: false, ratio: false, memory: false });
  });

  it('measure SQLite without a word', () => {
    expect(readOptions([])).toMatchObject({ store: 'sqlite', doors: true });
  });

  it.each([['--doors'], ['--memory'], ['--all']])('refuse %s on the emulators', (option) => {
    expect(() => readOptions(['--store', 'firestore', option])).toThrow('--store sqlite');
  });

  it('measure the emulators alone only where they are', () => {
    expect(readOptions(['--store', 'firestore', '--skeleton'])).toMatchObject({ skeleton: true });
    expect(() => readOptions(['--skeleton'])).toThrow('--store firestore');
  });

  it('refuse a store that there is not', () => {
    expect(() => readOptions(['--store', 'redis'])).toThrow("'redis'");
  });
});
