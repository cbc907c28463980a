import * as fc from 'fast-check';
import type { FailureCode } from '../../../shared/messages/attempt-api.ts';

const MAX_TASKS = 5;

/**
 * How one attempt goes. `dies`: its worker is gone, the lease passes. `late`: its lease passes and it is taken back while it
 * works, then it goes on all the same. `slow`: much else happens while it works.
 */
export type Fate = 'succeeds' | 'dies' | 'late' | 'slow' | FailureCode;
const fates = [
  'succeeds',
  'succeeds',
  'succeeds',
  'succeeds',
  'succeeds',
  'succeeds',
  'succeeds',
  'slow',
  'slow',
  'dies',
  'late',
  'network',
  'timeout',
  'checks_red',
  'out_of_memory',
  'model_garbage',
  'invalid_input',
  'conflict',
  'cancelled',
] as const satisfies Fate[];

/** How the start of a job goes. `lost`: it answers with an error although it starts; `failed`: and does not start. */
export type Start = 'once' | 'twice' | 'never' | 'no_capacity' | 'lost' | 'failed';
const starts = ['once', 'once', 'once', 'twice', 'never', 'no_capacity', 'lost', 'failed'] as const;

const plannedTask = fc.record({
  /** Bit n: depends on task n, where that comes before it. */
  dependencies: fc.integer({ min: 0, max: 2 ** MAX_TASKS - 1 }),
  optional: fc.boolean(),
  lane: fc.constantFrom('function', 'function', 'job'),
  pool: fc.constantFrom('core', 'core', 'specialist'),
  fates: fc.array(fc.constantFrom<Fate[]>(...fates), { minLength: 3, maxLength: 3 }),
  start: fc.constantFrom<Start[]>(...starts),
});

/**
 * What happens next, to the delivery at `pick` or to the world; then `pace` turns of the event loop go by.
 * `twice`: two at the same time; `again`: once more after it was acknowledged; `lose`: acknowledged, never handled;
 * `refuse`: not handled, and delivered again; a delivery that nothing happens to is delayed, past its deadline too.
 */
const happening = fc.record({
  kind: fc.constantFrom(
    'deliver',
    'deliver',
    'deliver',
    'deliver',
    'deliver',
    'together',
    'twice',
    'again',
    'again',
    'refuse',
    'lose',
    'tick',
    'sweep',
    'wait',
    'wait',
    'crash',
    'pause',
    'resume',
    'resume',
    'answer',
    'answer',
    'cancel',
  ),
  pick: fc.nat({ max: 99 }),
  pace: fc.nat({ max: 12 }),
});
export type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** What comes of the nth write (commit, creation, message, blob): applied or not, its caller hears of a failure; `raced`: another writer was quicker. */
const writeFault = fc.record({
  nth: fc.integer({ min: 1, max: 80 }),
  kind: fc.constantFrom('raced', 'unapplied', 'applied'),
});
/** A process that ends at its nth call of a port, with all that it was doing. */
const crash = fc.record({
  nth: fc.integer({ min: 1, max: 300 }),
  when: fc.constantFrom('before', 'after'),
});

export const scenario = fc.record({
  /** Nothing is lost, nobody dies: messages are only delayed, repeated, refused and reordered, and it has to do without a sweep. */
  isCalm: fc.constantFrom(false, false, false, true),
  tasks: fc.array(plannedTask, { minLength: 1, maxLength: MAX_TASKS }),
  /** Who plans: the caller, or the architect, whose own attempts then have the fates of the first task. */
  planner: fc.constantFrom('caller', 'caller', 'caller', 'architect'),
  happenings: fc.array(happening, { maxLength: 36 }),
  writeFaults: fc.array(writeFault, { maxLength: 5 }),
  crashes: fc.array(crash, { maxLength: 2 }),
  /** One process recovers what its predecessor left; several never know of each other's ends. */
  processes: fc.constantFrom(1, 2, 3),
  poolMax: fc.constantFrom(64, 1, 1, 2, 4),
  /** What becomes of a task that has spent its share. */
  onBudget: fc.constantFrom('fail', 'ask'),
  budgetMicroUsd: fc.constantFrom(2_000_000, 2_000_000, 2_000_000, 2_000_000, 800_000, 400_000, 150_000, 500),
  /** Calls of ports take up to so many turns. */
  jitter: fc.constantFrom(0, 1, 3),
  seed: fc.nat({ max: 9_999 }),
});
export type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const CALM_FATES: Fate[] = ['succeeds', 'slow', 'invalid_input', 'conflict'];

export function fateOf(given: Scenario, { task, generation }: { task: string; generation: number }): Fate {
  const fate = plannedAt(given, task)?.fates[generation - 1] ?? 'succeeds';
  return given.isCalm && !CALM_FATES.includes(fate) ? 'succeeds' : fate;
}

export function startOf(given: Scenario, task: string): Start {
  const start = plannedAt(given, task)?.start ?? 'once';
  return given.isCalm && start !== 'twice' ? 'once' : start;
}

function plannedAt({ tasks }: Scenario, task: string): Scenario['tasks'][number] | undefined {
  return task === 'plan' ? tasks[0] : tasks[Number(task.slice(1))];
}

/** The plan of a scenario. The architect's has no lanes and nothing optional. */
export function planOf({
  tasks,
  planner,
}: Scenario): { summary: string; tasks: object[] } | { tasks: object[] } {
  const isGiven = planner === 'caller';
  const planned = tasks.map((task, index) => ({
    id: `t${index}`,
    agent: agentOf(task),
    title: `Task ${index}`,
    instructions: 'Nothing.',
    acceptance: ['It is done.'],
    scope: [],
    dependencies: tasks.flatMap((_, n) =>
      n < index && (task.dependencies & (1 << n)) !== 0 ? [`t${n}`] : [],
    ),
    ...(isGiven ? { optional: task.optional, lane: task.lane } : {}),
  }));
  return isGiven ? { tasks: planned } : { summary: 'As asked.', tasks: planned };
}

/** In the job lane the one whose result is a text: it needs no repository to change. */
function agentOf({ lane, pool }: Scenario['tasks'][number]): string {
  if (lane === 'job') return 'project_architect';
  return pool === 'core' ? 'technical_writer' : 'backend_developer';
}
