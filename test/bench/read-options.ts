import { parseArgs } from 'node:util';
import { DEFAULT_SHAPES, parseShape, SHAPE_NAMES, type Shape } from './shapes.ts';

/** What the platform stands on: one process with SQLite, or a process per function on Google's emulators. */
export type BenchedStore = 'sqlite' | 'firestore';

export interface BenchOptions {
  store: BenchedStore;
  shapes: Shape[];
  runs: number;
  isJson: boolean;
  isProfiled: boolean;
  doors: boolean;
  ratio: boolean;
  memory: boolean;
  skeleton: boolean;
}

export const HELP = `npm run bench [-- OPTIONS]

Measures the platform as 'penstock up' composes it, in a process of its own; only the agents' work is a no-op.

  --store NAME   sqlite, or firestore: every function as a process of its own on Google's emulators, messages through
                 Pub/Sub's push delivery; shapes and --ratio only (sqlite)
  --shape NAME   this shape in place of the four of the default; may be repeated
                 ${SHAPE_NAMES}
  --no-shapes    no shape at all
  --runs N       timed runs of each shape, after one to warm up (3)
  --doors        POST /api/requirements and POST /webhooks/github under 50 clients (part of the default without --json)
  --ratio        time per task of chain-400 ÷ chain-50 and fan-800 ÷ fan-100, median of 9, interleaved;
                 with --store firestore fan-400 ÷ fan-100, median of 3
  --skeleton     with --store firestore: what tasks cost the emulators and the clients alone, bare and with the counts and
                 looks that the cost contract allows a task, on this machine
  --memory       memory after 100, 1,000 and 2,000 six-task runs, each after a full collection
  --all          all of it
  --cpu-prof     keeps a CPU profile of the timed runs and prints the functions with the most time of their own
  --json         one array: an object per shape, and with --doors, --ratio, --skeleton, --memory one for each of these

wallMs: from the client's first request to the end of the last run by its own record; median of the runs.
p50Ms, p95Ms: last dependency finished → dependent started, by the records of the attempts (whole milliseconds).
writesPerTask … retriedCommits: counted at the ports in a run of its own, without the sweep; the timed runs are not counted.
A query that finds nothing is not among the reads; writes are compared with SQLite's own count of changed rows.
duplicates, missing, early: counted by a new process from the database alone.
With --store firestore the timed runs are the counted ones; rssMb is of all functions together; retriedCommits are the commits
that left the functions' processes beyond those that were applied, so the client library's own retries count.

Exit code 1: tasks were missing, doubled or early, or the cost contract was broken. Speed never fails it.
`;

/** @throws Error with what is wrong and what would be right. */
export function readOptions(args: string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      store: { type: 'string', default: 'sqlite' },
      shape: { type: 'string', multiple: true },
      'no-shapes': { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      doors: { type: 'boolean', default: false },
      ratio: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      skeleton: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      'cpu-prof': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const runs = Number(values.runs);
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new Error(`--runs got '${values.runs}' and takes a number from 1`);
  const store = storeNamed(values.store);
  const isPlain = values.shape === undefined && !values['no-shapes'];
  const isDefault = isPlain && store === 'sqlite' && !values.ratio && !values.memory && !values.json;
  if (store === 'firestore' && (values.doors || values.memory || values.all))
    throw new Error('--doors, --memory and --all measure one process, so they go with --store sqlite');
  if (store === 'sqlite' && values.skeleton)
    throw new Error('--skeleton measures the emulators, so it goes with --store firestore');
  return {
    store,
    shapes: values['no-shapes'] ? [] : (values.shape ?? DEFAULT_SHAPES).map(shapeNamed),
    runs,
    isJson: values.json,
    isProfiled: values['cpu-prof'],
    doors: values.doors || values.all || isDefault,
    ratio: values.ratio || values.all,
    memory: values.memory || values.all,
    skeleton: values.skeleton,
  };
}

function storeNamed(name: string): BenchedStore {
  if (name === 'sqlite' || name === 'firestore') return name;
  throw new Error(`--store got '${name}' and takes sqlite or firestore`);
}

function shapeNamed(name: string): Shape {
  const shape = parseShape(name);
  if (shape === undefined) throw new Error(`there is no shape '${name}'; there are ${SHAPE_NAMES}`);
  return shape;
}
