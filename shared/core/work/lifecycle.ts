import type { LifecycleStage } from '../../messages/transcript-line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transcript } from './transcript.ts';

/** Runs one of the nine stages of an attempt (003-29) and writes how long it took, also when it failed. */
export type Stage = <T>(name: LifecycleStage, work: () => Promise<T> | T) => Promise<T>;

export function createStage(
  transcript: Transcript,
  clock: Clock,
  onStage?: (name: LifecycleStage, ms: number) => void,
): Stage {
  return async (name, work) => {
    const startedAt = clock.now();
    try {
      return await work();
    } finally {
      const ms = clock.now() - startedAt;
      transcript.write({ kind: 'stage', stage: name, ms });
      onStage?.(name, ms);
    }
  };
}
