import { whyNoEmulators } from '../support/emulator-root.ts';
import type { Place } from '../support/faults/calls-of-a-run.ts';
import { type Schedule, scheduleOf } from '../support/faults/schedule.ts';
import { playScenarios } from './play-scenarios.ts';
import { playSchedules } from './play-schedules.ts';
import { type FaultsOptions, HELP, readOptions } from './read-options.ts';
import { sumOf, type Tally } from './tally.ts';

/** Random scenarios of the engine, then schedules of faults on whole systems. Ends in one line alone: `N passed, N failed, N skipped`. */
async function main(options: FaultsOptions): Promise<Tally> {
  const { patience } = options;
  if ('replay' in options) {
    const { seed, on, only } = options.replay;
    const { faults, ...schedule } = scheduleOf(seed, on);
    const chosen = only === undefined ? faults : faults.filter((_, index) => only.includes(index + 1));
    return playSchedules([{ ...schedule, faults: chosen }], { shrinks: only === undefined, patience });
  }
  const scenarios = options.scenarios === 0 ? NOTHING : await playScenarios(options.scenarios);
  const { schedules, skipped } = chosenSchedules(options);
  if (schedules.length > 0)
    process.stdout.write(`${schedules.length} schedules from --from ${schedules[0]?.seed}\n`);
  const played = await playSchedules(schedules, { atOnce: options.atOnce, patience });
  return sumOf([scenarios, played, { ...NOTHING, skipped }]);
}

const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };
/** One of so many on the cluster, which takes several times as long. */
const CLUSTER_SHARE = 5;

/** By seed, on both places where this machine has what the cluster stands on. */
function chosenSchedules({ schedules, from, on }: Extract<FaultsOptions, { schedules: number }>): {
  schedules: Schedule[];
  skipped: number;
} {
  const placeOf = (index: number): Place => on ?? (index % CLUSTER_SHARE === 0 ? 'cluster' : 'local');
  const all = Array.from({ length: schedules }, (_, index) => scheduleOf(from + index, placeOf(index)));
  const reason = whyNoEmulators();
  if (reason === undefined) return { schedules: all, skipped: 0 };
  const left = all.filter((schedule) => schedule.on === 'local');
  const skipped = all.length - left.length;
  if (skipped > 0 && (process.env['PENSTOCK_REQUIRE'] ?? '').split(',').includes('emulators'))
    throw new Error(`emulators are required by PENSTOCK_REQUIRE, but ${reason}`);
  if (skipped > 0) process.stdout.write(`${skipped} schedules on the cluster are skipped: ${reason}\n`);
  return { schedules: left, skipped };
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else {
    const { passed, failed, skipped } = await main(options);
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    process.exitCode = failed > 0 ? 1 : 0;
  }
} catch (error) {
  process.stderr.write(`faults: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
