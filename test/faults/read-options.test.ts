import { describe, expect, it } from '@jest/globals';
import { readOptions } from './read-options.ts';

describe('the options of npm run faults', () => {
  it('are 20,000 scenarios and 200 schedules where nothing is said, and as many as is said', () => {
    expect(readOptions([])).toMatchObject({ scenarios: 20_000, schedules: 200, on: undefined });
    const given = [
      '--scenarios',
      '0',
      '--schedules',
      '5',
      '--from',
      '7',
      '--on',
      'cluster',
      '--at-once',
      '1',
    ];
    expect(readOptions(given)).toEqual({
      scenarios: 0,
      schedules: 5,
      from: 7,
      on: 'cluster',
      atOnce: 1,
      patience: 1,
    });
  });

  it('name one schedule that is played again, and which of its faults', () => {
    expect(readOptions(['--seed', '7'])).toEqual({
      replay: { seed: 7, on: 'local', only: undefined },
      patience: 1,
    });
    const some = ['--seed', '7', '--on', 'cluster', '--only', '2,3', '--patience', '4'];
    expect(readOptions(some)).toEqual({
      replay: { seed: 7, on: 'cluster', only: [2, 3] },
      patience: 4,
    });
  });

  it.each([
    [['--on', 'mars'], '--on'],
    [['--schedules', 'all'], '--schedules'],
    [['--seed', '-1'], '--seed'],
    [['--only', '1'], '--only'],
    [['7'], '7'],
  ])('that are wrong are refused by name: %j', (args, name) => {
    expect(() => readOptions(args)).toThrow(name);
  });
});
