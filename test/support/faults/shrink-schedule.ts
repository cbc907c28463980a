import type { Fault } from './fault.ts';
import type { Schedule } from './schedule.ts';

/** What a schedule broke, if anything. */
type Problems = (schedule: Schedule) => Promise<string[]>;

/**
 * The schedule with the fewest of its faults that still breaks something, left out one after the other. One that takes luck may
 * shrink to more than it needs.
 */
export async function shrinkSchedule(broken: Schedule, play: Problems): Promise<Schedule> {
  let faults: readonly Fault[] = broken.faults;
  for (const fault of broken.faults) {
    if (faults.length === 1) break;
    const fewer = faults.filter((one) => one !== fault);
    if ((await play({ ...broken, faults: fewer })).length > 0) faults = fewer;
  }
  return { ...broken, faults };
}
