import { expect, it } from '@jest/globals';
import { playSchedule } from '../support/faults/play-schedule.ts';
import { reportOf } from '../support/faults/report.ts';
import { scheduleOf } from '../support/faults/schedule.ts';
import { group } from '../support/groups.ts';

/** Which faults: always the same here, so that a change is judged by itself; `npm run faults` plays others, and many more. */
const SEED = Number(process.env['PENSTOCK_SEED'] ?? 4);
/** Other tests run beside it. */
const PATIENCE = 3;
const ONE_MS = 20 * 60_000;

group('emulators')(`a run on the cluster, where every process may break (PENSTOCK_SEED=${SEED})`, () => {
  it(
    'survives a schedule of faults of any kinds',
    async () => {
      const played = await playSchedule(scheduleOf(SEED, 'cluster'), {
        keepsProblems: true,
        patience: PATIENCE,
      });
      expect(played.problems.length === 0 ? [] : [reportOf(played)]).toEqual([]);
    },
    ONE_MS,
  );
});
