import { parseArgs } from 'node:util';
import type { Place } from '../support/faults/calls-of-a-run.ts';

/** What is played: one schedule again, or as many new ones. */
export type FaultsOptions =
  | { replay: { seed: number; on: Place; only: number[] | undefined }; patience: number }
  | {
      scenarios: number;
      schedules: number;
      from: number;
      on: Place | undefined;
      atOnce: number | undefined;
      patience: number;
    };

export const HELP = `npm run faults [-- OPTIONS]

Plays random scenarios of the engine, then schedules of faults on whole systems: processes that are killed, messages that are lost,
writes whose answers are, leases that pass early, a model and a GitHub that fail, emulators that break down.

  --scenarios N    scenarios of the engine (20000); PENSTOCK_TEST_SEED and PENSTOCK_TEST_PATH replay one
  --schedules N    schedules on whole systems (200), one of five on the cluster where there are emulators
  --from SEED      the first of their seeds (any)
  --on PLACE       all of them on local or on the cluster
  --at-once N      so many at a time in local mode (one for each core)
  --patience N     waits N times as long (1), on a machine that is busy with other work
  --seed SEED      one schedule again, and nothing else; --on says where (local), --only 2,3 which of its faults
`;

const SCENARIOS = 20_000;
const SCHEDULES = 200;

/** @throws Error with what is wrong and what would be right. */
export function readOptions(args: string[]): FaultsOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      scenarios: { type: 'string', default: String(SCENARIOS) },
      schedules: { type: 'string', default: String(SCHEDULES) },
      from: { type: 'string', default: String(Date.now() % 1_000_000) },
      on: { type: 'string' },
      'at-once': { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      patience: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const on = placeOf(values.on);
  const patience = Math.max(1, numberOf('--patience', values.patience));
  if (values.seed !== undefined) {
    const only = values.only?.split(',').map((each) => numberOf('--only', each));
    return { replay: { seed: numberOf('--seed', values.seed), on: on ?? 'local', only }, patience };
  }
  if (values.only !== undefined) throw new Error('--only goes with --seed: it says which of its faults');
  return {
    scenarios: numberOf('--scenarios', values.scenarios),
    schedules: numberOf('--schedules', values.schedules),
    from: numberOf('--from', values.from),
    on,
    patience,
    atOnce:
      values['at-once'] === undefined ? undefined : Math.max(1, numberOf('--at-once', values['at-once'])),
  };
}

function placeOf(text: string | undefined): Place | undefined {
  if (text === undefined || text === 'local' || text === 'cluster') return text;
  throw new Error(`--on got '${text}' and takes local or cluster`);
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (text !== '' && Number.isInteger(number) && number >= 0) return number;
  throw new Error(`${name} got '${text}' and takes a whole number`);
}
