import { faultText } from './fault.ts';
import type { Played } from './play-schedule.ts';
import type { Schedule } from './schedule.ts';

/** What a person reads of a schedule that went wrong, and the one line that plays it again. */
export function reportOf(played: Played, whole: Schedule = played.schedule): string {
  const { schedule, problems, facts, fired, folder } = played;
  const { seed, on, driver, faults } = schedule;
  const left = faults.map((fault) => whole.faults.indexOf(fault) + 1);
  const some = faults.length < whole.faults.length ? ` --only ${left.join(',')}` : '';
  return [
    `schedule ${seed} on ${on}, driver ${driver}:`,
    ...problems.map((problem) => `- ${problem}`),
    ...faults.map(
      (fault) => `  ${fired.includes(fault) ? 'came to pass' : 'never came'}: ${faultText(fault)}`,
    ),
    ...facts.map((fact) => `  ${fact}`),
    `  logs and records: ${folder}`,
    `  replay: npm run faults -- --seed ${seed} --on ${on}${some}`,
  ].join('\n');
}
