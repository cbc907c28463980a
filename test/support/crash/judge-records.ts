import { join } from 'node:path';
import { openSqliteDatabase } from '../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../shared/adapters/local/sqlite-store.ts';
import { foldHistory } from '../../../shared/core/history.ts';
import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import { isTerminal, type Run } from '../../../shared/core/run.ts';
import { readTasks } from '../../../shared/core/run-tasks.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { INDEXES } from '../../../shared/runtime/local.ts';
import { TENANT } from '../platform.ts';
import type { Verdict } from './judge.ts';
import type { Bill, ServedCall } from './recording-model.ts';

/** What the platform's own records must say, whatever was killed on the way. */
export async function judgeRecords(dataFolder: string, bill: Bill): Promise<Verdict> {
  const database = openSqliteDatabase({ file: join(dataFolder, 'penstock.db') });
  const store = createSqliteStore({ database, indexes: INDEXES });
  try {
    const { runs, letters } = await readRecords(store);
    const [run] = runs;
    if (run === undefined || runs.length > 1)
      return { problems: [`${runs.length} runs are recorded; one is due`], facts: [] };
    const tasks = await readTasks(store, TENANT, run.id);
    const problems = [
      ...judgeRun(run),
      ...tasks.flatMap(judgeTask),
      ...judgeSpend(run, tasks, bill),
      ...letters.map((letter) => {
        const of = letter.kind === 'message' ? letter.subscription : `task ${letter.task}`;
        return `a dead letter of ${of}: ${letter.error}`;
      }),
    ];
    return { problems, facts: tasks.map(describeTask) };
  } finally {
    await store.close();
    database.close();
  }
}

async function readRecords(store: Store): Promise<{ runs: Run[]; letters: DeadLetter[] }> {
  const runs = await store.query<Run>({ from: { collection: `tenants/${TENANT}/runs` }, limit: 100 });
  const letters = await store.query<DeadLetter>({
    from: { collection: `tenants/${TENANT}/deadLetters` },
    limit: 100,
  });
  return { runs: runs.documents.map(({ data }) => data), letters: letters.documents.map(({ data }) => data) };
}

function judgeRun(run: Run): string[] {
  const terminal = run.history.filter(({ state }) => isTerminal(state as Run['stage']));
  return [
    ...(run.stage === 'succeeded' ? [] : [`the run is ${run.stage}: ${run.reason?.message ?? ''}`]),
    ...(terminal.length === 1 ? [] : [`the run has ${terminal.length} terminal entries; one is due`]),
    ...(foldHistory(run.history) === run.stage
      ? []
      : [`the run is ${run.stage}, its history tells ${foldHistory(run.history) ?? 'nothing'}`]),
    ...(run.unsettledOutside ? ['the run is not settled outside'] : []),
  ];
}

function judgeTask(task: Task): string[] {
  const told = foldHistory(task.history);
  return [
    ...(told === task.state
      ? []
      : [`task ${task.id} is ${task.state}, its history tells ${told ?? 'nothing'}`]),
    ...(task.live ? [`task ${task.id} is still ${task.state}`] : []),
    ...task.attempts
      .filter(({ meter }) => meter.reservedMicroUsd !== 0)
      .map(({ generation }) => `attempt ${task.id}/${generation} has an open reservation`),
  ];
}

/** The part of a task that says what it cost. */
export interface SpentTask {
  id: string;
  attempts: { meter: { spentMicroUsd: number; calls: number } }[];
}

function spentBy({ attempts }: SpentTask): number {
  return attempts.reduce((sum, { meter }) => sum + meter.spentMicroUsd, 0);
}

/** Each served call is charged once; one whose answer was lost with its reservation; never more than the budget. */
export function judgeSpend(run: Pick<Run, 'budget'>, tasks: SpentTask[], bill: Bill): string[] {
  const spent = tasks.reduce((sum, task) => sum + spentBy(task), 0);
  return [
    ...tasks.flatMap((task) => judgeTaskSpend(task, bill)),
    ...(spent > run.budget.limitMicroUsd
      ? [`${spent} micro-USD are over the budget of ${run.budget.limitMicroUsd}`]
      : []),
  ];
}

function judgeTaskSpend(task: SpentTask, { served, expected }: Bill): string[] {
  const own = served.filter((call) => call.task === task.id);
  const spent = spentBy(task);
  const billed = own.reduce((sum, { microUsd }) => sum + microUsd, 0);
  const settled = task.attempts.reduce((sum, { meter }) => sum + meter.calls, 0);
  const lost = lostCharges(
    own,
    expected.filter((call) => call.task === task.id),
  );
  const isExplained =
    spent === billed || lost.some((charge) => Math.abs(spent - billed - charge) <= charge * SIZE_TOLERANCE);
  return [
    ...(isExplained
      ? []
      : [
          `task ${task.id}: ${spent} micro-USD are recorded for ${billed} served; no lost call explains the difference`,
        ]),
    ...(settled > own.length
      ? [`task ${task.id}: ${settled} calls are recorded, the model served ${own.length}`]
      : []),
  ];
}

/** Outputs of tools differ in length by a digit or two from run to run. */
const SIZE_TOLERANCE = 0.02;

/** What one or two calls may add whose answer nobody took: one when the process died, one when its attempt lost its lease. */
function lostCharges(served: ServedCall[], expected: ServedCall[]): number[] {
  const afterAnswer = served.map(({ microUsd, reservationMicroUsd }) => reservationMicroUsd - microUsd);
  const beforeAnswer = [...served, ...expected].map(({ reservationMicroUsd }) => reservationMicroUsd);
  const one = [...new Set([...afterAnswer, ...beforeAnswer])];
  return [...one, ...one.flatMap((first) => one.map((second) => first + second))];
}

function describeTask(task: Task): string {
  const attempts = task.attempts.map(
    ({ generation, exit, meter }) =>
      `${generation} ${exit?.outcome ?? 'open'} ${exit?.code ?? ''} ${meter.spentMicroUsd}/${meter.calls}`,
  );
  return `${task.id} ${task.state}: ${attempts.join(', ')}`;
}
