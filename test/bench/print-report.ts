import type { DoorResult } from './doors.ts';
import type { SkeletonResult } from './firestore/skeleton.ts';
import { formatTable } from './format-table.ts';
import { MEASURED_AT, type MemoryResult } from './memory.ts';
import type { RatioResult } from './ratio.ts';
import type { BenchedStore } from './read-options.ts';
import { readProfile } from './read-profile.ts';
import { referenceOf } from './references.ts';
import type { ShapeResult } from './shape-result.ts';

const PROFILED_FUNCTIONS = 15;

type Columns<T> = [title: string, value: (row: T) => string | number][];

const speed = (store: BenchedStore): Columns<ShapeResult> => [
  ['shape', (one) => one.shape],
  ['wall ms', (one) => one.wallMs],
  ['ms/task', (one) => one.perTaskMs],
  ['peer', ({ shape }) => referenceOf(shape, store)?.peer?.ms ?? ''],
  ['goal', ({ shape }) => referenceOf(shape, store)?.goalMs ?? ''],
  ['tasks/s', (one) => one.tasksPerSecond],
  ['p50 ms', (one) => one.p50Ms],
  ['p95 ms', (one) => one.p95Ms],
  ['rss MB', (one) => one.rssMb],
];

const COST: Columns<ShapeResult> = [
  ['per task', (one) => one.shape],
  ['writes', (one) => one.writesPerTask],
  ['reads', (one) => one.readsPerTask],
  ['counts', (one) => one.countsPerTask],
  ['messages', (one) => one.messagesPerTask],
  ['retried', (one) => one.retriedCommits],
  ['duplicates', (one) => one.duplicates],
  ['missing', (one) => one.missing],
  ['early', (one) => one.early],
];

const DOORS: Columns<DoorResult> = [
  ['door', (one) => one.door],
  ['clients', (one) => one.clients],
  ['requests', (one) => one.requests],
  ['p50 ms', (one) => one.p50Ms],
  ['p95 ms', (one) => one.p95Ms],
  ['max ms', (one) => one.maxMs],
  ['per s', (one) => one.perSecond],
  ['model calls', (one) => one.modelCalls],
];

const RATIOS: Columns<RatioResult> = [
  ['ms/task', (one) => one.ratio],
  ['large', (one) => one.largePerTaskMs],
  ['small', (one) => one.smallPerTaskMs],
  ['ratio', (one) => one.value],
  ['at most', (one) => one.goal],
];

const SKELETONS: Columns<SkeletonResult> = [
  ['skeleton', (one) => one.skeleton],
  ['operations', (one) => one.operations],
  ['ms/task', (one) => one.perTaskMs],
];

export function shapeTable(results: ShapeResult[], store: BenchedStore): string {
  return [table(speed(store), results), table(COST, results), ...peers(results, store)].join('\n\n');
}

/** Whose figures stand in the column `peer`. */
function peers(results: ShapeResult[], store: BenchedStore): string[] {
  const names = results.flatMap(({ shape }) => {
    const peer = referenceOf(shape, store)?.peer;
    return peer === undefined ? [] : [`${shape.split('-')[0]}: ${peer.name}`];
  });
  if (names.length === 0) return [];
  return [
    `peer: ms/task of the fastest durable one measured on this kind of machine (${[...new Set(names)].join('; ')})`,
  ];
}

export function doorTable(results: DoorResult[]): string {
  return table(DOORS, results);
}

export function ratioTable(results: RatioResult[]): string {
  return table(RATIOS, results);
}

export function skeletonTable(results: SkeletonResult[]): string {
  return table(SKELETONS, results);
}

export function memoryTable(one: MemoryResult): string {
  return formatTable([
    [one.memory, ...MEASURED_AT.map((runs) => `at ${runs}`), 'growth % over the last 1,000', 'below'],
    ['rss MB', ...one.rssMb, one.rssGrowthPercent, one.goalPercent],
    ['heap MB', ...one.heapMb, one.heapGrowthPercent, ''],
  ]);
}

export function profileTable(file: string): string {
  const functions = readProfile(file, PROFILED_FUNCTIONS);
  const rows = functions.map(({ name, selfMs, percent }) => [name, selfMs.toFixed(1), percent.toFixed(1)]);
  return formatTable([[file, 'self ms', '%'], ...rows]);
}

function table<T>(columns: Columns<T>, rows: T[]): string {
  return formatTable([
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map(([, value]) => value(row))),
  ]);
}
