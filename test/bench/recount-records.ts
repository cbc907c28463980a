import { foldHistory } from '../../shared/core/history.ts';
import { isTerminal, type Run } from '../../shared/core/run.ts';
import type { Task } from '../../shared/core/task.ts';
import { dependenciesEndedAt, openRecords, type StoredRecords } from './read-records.ts';

/** What the stored records say about what was asked for. */
export interface Recount {
  runs: number;
  tasks: number;
  /** Planned tasks that are not there, or have not succeeded. */
  missing: number;
  /** Tasks that were begun or ended more than once, or that nobody planned; runs that ended more than once. */
  duplicates: number;
  /** Tasks that began before all their dependencies had ended. */
  early: number;
  /** Records that do not explain the state they are in. */
  broken: number;
  /** The first of them, for people. */
  problems: string[];
}

type Finding = { kind: 'missing' | 'duplicates' | 'early' | 'broken'; text: string };
const MAX_PROBLEMS = 20;

/** Judges every run of a data folder by what is stored there, and by nothing else. */
export function recount(dataFolder: string): Recount {
  const records = openRecords(dataFolder);
  try {
    return recountRecords(records);
  } finally {
    records.close();
  }
}

export function recountRecords(records: StoredRecords): Recount {
  const runs = records.runs();
  const judged = runs.map((run) => judgeRun(records, run));
  const findings = judged.flatMap((one) => one.findings);
  const count = (kind: Finding['kind']): number => findings.filter((one) => one.kind === kind).length;
  return {
    runs: runs.length,
    tasks: judged.reduce((sum, { tasks }) => sum + tasks, 0),
    missing: count('missing'),
    duplicates: count('duplicates'),
    early: count('early'),
    broken: count('broken'),
    problems: findings.slice(0, MAX_PROBLEMS).map(({ kind, text }) => `${kind}: ${text}`),
  };
}

function judgeRun(records: StoredRecords, run: Run): { tasks: number; findings: Finding[] } {
  const tasks = new Map(records.tasks(run.id).map((task) => [task.id, task]));
  const planned = records.plan(run);
  const plannedIds = new Set(planned.map(({ id }) => id));
  const terminal = run.history.filter(({ state }) => isTerminal(state as Run['stage'])).length;
  const name = `run ${run.id}`;
  return {
    tasks: tasks.size,
    findings: [
      ...found(run.stage !== 'succeeded', 'missing', `${name} is ${run.stage}`),
      ...found(terminal > 1, 'duplicates', `${name} ended ${terminal} times`),
      ...found(foldHistory(run.history) !== run.stage, 'broken', `the history of ${name} does not fold`),
      ...planned.flatMap((plan) => judgePlanned(`task ${run.id}/${plan.id}`, plan, tasks)),
      ...[...tasks.keys()].flatMap((id) =>
        found(!plannedIds.has(id), 'duplicates', `task ${run.id}/${id} was never planned`),
      ),
    ],
  };
}

function judgePlanned(
  name: string,
  planned: { id: string; dependencies: string[] },
  tasks: ReadonlyMap<string, Task>,
): Finding[] {
  const task = tasks.get(planned.id);
  if (task === undefined) return found(true, 'missing', `${name} is not stored`);
  const begun = task.history.filter(({ state }) => state === 'running').length;
  const succeeded = task.history.filter(({ state }) => state === 'succeeded').length;
  const exits = task.attempts.filter(({ exit }) => exit?.outcome === 'succeeded').length;
  const isOnce = begun === 1 && succeeded === 1 && exits === 1 && task.attempts.length === 1;
  const hasBegun = begun > 0 || task.attempts.length > 0;
  const waitedFor = dependenciesEndedAt(planned, tasks);
  const startedAt = Math.min(...task.attempts.map((attempt) => attempt.startedAt));
  const told = `${task.attempts.length} attempts, ${begun} times running, ${succeeded} times succeeded`;
  return [
    ...found(task.state !== 'succeeded', 'missing', `${name} is ${task.state}`),
    ...found(hasBegun && task.state === 'succeeded' && !isOnce, 'duplicates', `${name} has ${told}`),
    ...found(
      startedAt < waitedFor,
      'early',
      `${name} began at ${startedAt}, what it waits for ended at ${waitedFor}`,
    ),
    ...found(foldHistory(task.history) !== task.state, 'broken', `the history of ${name} does not fold`),
  ];
}

function found(isSo: boolean, kind: Finding['kind'], text: string): Finding[] {
  return isSo ? [{ kind, text }] : [];
}
