import { describe, expect, it } from '@jest/globals';
import type { RecordedCall } from './crash-point.ts';
import { allPoints, samplePoints } from './sample-points.ts';

const names = ['store.get', 'queue.publish', 'blobs.put', 'codeHost.createComment', 'POST /v1/messages'];
const calls: RecordedCall[] = [
  ...Array.from({ length: 400 }, (_, index) => ({
    process: 'host',
    call: names[index < 4 ? index : 0] ?? '',
    nth: index + 1,
  })),
  { process: 'host', call: 'POST /v1/messages', nth: 1 },
  { process: 'job fix/1', call: 'POST /internal/attempts/finish', nth: 1 },
  { process: 'job fix/1', call: 'spawn git', nth: 1 },
];

describe('sampled crash points', () => {
  it('are the same for the same seed and others for another', () => {
    expect(samplePoints(calls, 24, 7)).toEqual(samplePoints(calls, 24, 7));
    expect(samplePoints(calls, 24, 7)).not.toEqual(samplePoints(calls, 24, 8));
  });

  it.each([1, 2, 3, 4, 5])(
    'hit each port and every part of the run, on both sides of calls (seed %i)',
    (seed) => {
      const samples = samplePoints(calls, 24, seed);
      expect(samples).toHaveLength(24);
      expect(new Set(samples.map(({ n }) => n)).size).toBe(24);
      const hit = samples.map(({ point }) => `${point.process.split(' ')[0]} ${point.call}`);
      for (const call of names) expect(hit).toContain(`host ${call}`);
      expect(hit).toContain('job POST /internal/attempts/finish');
      expect(hit).toContain('job spawn git');
      for (const quarter of [0, 1, 2, 3])
        expect(
          samples.filter(({ n }) => Math.floor(((n - 1) * 4) / calls.length) === quarter).length,
        ).toBeGreaterThan(2);
      expect(new Set(samples.map(({ point }) => point.when))).toEqual(new Set(['before', 'after']));
    },
  );

  it('are both sides of every call when all are wanted', () => {
    expect(allPoints(calls)).toHaveLength(2 * calls.length);
  });
});
