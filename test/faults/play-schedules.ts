import { availableParallelism } from 'node:os';
import { type Played, playSchedule } from '../support/faults/play-schedule.ts';
import { reportOf } from '../support/faults/report.ts';
import type { Schedule } from '../support/faults/schedule.ts';
import { shrinkSchedule } from '../support/faults/shrink-schedule.ts';
import type { Tally } from './tally.ts';

const PROGRESS_EVERY = 10;
/** A schedule waits for leases more than it works; a cluster keeps a machine busy alone. */
const AT_ONCE = { local: availableParallelism(), cluster: 1 };

export interface Playing {
  /** How many at the same time, in local mode. @default one for each core */
  atOnce?: number | undefined;
  /** @default 1 */
  patience?: number | undefined;
  /** Looks for the fewest faults that break it. @default true */
  shrinks?: boolean;
}

/** Plays all, tells every tenth, and reports each that went wrong. */
export async function playSchedules(
  schedules: Schedule[],
  { atOnce, patience, shrinks = true }: Playing,
): Promise<Tally> {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  const play = async (schedule: Schedule): Promise<void> => {
    const played = await playSchedule(schedule, { keepsProblems: true, patience });
    if (played.problems.length === 0) tally.passed += 1;
    else {
      tally.failed += 1;
      say(await shrunkReport(played, { shrinks, patience }));
    }
    const done = tally.passed + tally.failed;
    if (done % PROGRESS_EVERY === 0) say(`${done} of ${schedules.length} schedules`);
  };
  for (const on of ['local', 'cluster'] as const) {
    const left = schedules.filter((schedule) => schedule.on === on);
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await play(next);
    };
    const workers = on === 'local' ? (atOnce ?? AT_ONCE.local) : AT_ONCE.cluster;
    await Promise.all(Array.from({ length: workers }, worker));
  }
  return tally;
}

async function shrunkReport(
  played: Played,
  { shrinks, patience }: Pick<Playing, 'shrinks' | 'patience'>,
): Promise<string> {
  const { schedule } = played;
  const report = reportOf(played);
  if (shrinks !== true || schedule.faults.length < 2) return report;
  const problemsOf = async (fewer: Schedule): Promise<string[]> =>
    (await playSchedule(fewer, { patience })).problems;
  const smallest = await shrinkSchedule(schedule, problemsOf);
  if (smallest.faults.length === schedule.faults.length) return report;
  const again =
    reportOf({ ...played, schedule: smallest }, schedule)
      .split('\n')
      .at(-1) ?? '';
  return `${report}\n  with fewer faults:${again.replace(/^ *replay:/, '')}`;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
