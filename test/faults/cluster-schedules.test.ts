import { expect, it } from '@jest/globals';
import { type Played, playSchedule } from '../support/faults/play-schedule.ts';
import { reportOf } from '../support/faults/report.ts';
import { scheduleOf } from '../support/faults/schedule.ts';
import { group } from '../support/groups.ts';

/** Replays a choice of faults; it is printed. `npm run faults` plays many more. */
const SEED = Number(process.env['PENSTOCK_SEED'] ?? Date.now() % 1_000_000);
const SCHEDULES = 2;
const ONE_MS = 8 * 60_000;

group('emulators')(`a run on the cluster, where every process may break (PENSTOCK_SEED=${SEED})`, () => {
  it(
    `survives ${SCHEDULES} schedules of faults of any kinds`,
    async () => {
      const played: Played[] = [];
      for (let n = 0; n < SCHEDULES; n += 1)
        played.push(await playSchedule(scheduleOf(SEED + n, 'cluster'), { keepsProblems: true }));
      const broken = played.filter(({ problems }) => problems.length > 0);
      expect(broken.map((one) => reportOf(one))).toEqual([]);
    },
    ONE_MS * SCHEDULES,
  );
});
