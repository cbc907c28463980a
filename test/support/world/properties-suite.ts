import { describe, it } from '@jest/globals';
import { checkProperties, replayed } from './check-properties.ts';

/** More than a check takes that was interrupted. */
const LIMIT_MS = 400_000;

/** The same cases each time, so that a suite that was green stays so; `npm run faults` looks for new ones. */
export function propertiesSuite(series: { cases: number; seed: number }): void {
  const options = { ...series, ...replayed() };
  describe('the engine, whatever happens to its messages, processes, writes and runs', () => {
    it(
      `keeps every promise in ${options.cases} scenarios from seed ${options.seed}`,
      async () => {
        const { failure } = await checkProperties(options);
        if (failure !== undefined) throw new Error(failure);
      },
      LIMIT_MS,
    );
  });
}
