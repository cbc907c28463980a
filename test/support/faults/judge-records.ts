import { decisionsOf, type Effect, lettersOf, runsOf } from '../../../shared/core/refs.ts';
import { foldHistory } from '../../../shared/core/history.ts';
import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import type { Decision } from '../../../shared/core/decisions/decision.ts';
import { isTerminal, type Run } from '../../../shared/core/run.ts';
import { readTasks } from '../../../shared/core/run-tasks.ts';
import type { Task } from '../../../shared/core/task.ts';
import { MAX_PAGE, type Store } from '../../../shared/ports/store.ts';
import { TENANT } from '../platform.ts';
import type { Fault } from './fault.ts';
import { judgeSpend } from './judge-spend.ts';
import { judgeEnd } from './legal-ends.ts';
import type { ProviderLedger } from './provider.ts';

/** What a run left in the platform's records. */
export interface Records {
  runs: Run[];
  tasks: Task[];
  effects: { id: string; effect: Effect }[];
  letters: DeadLetter[];
  decisions: Decision[];
}

export async function readRecords(store: Store): Promise<Records> {
  const list = async <T extends object>(collection: string) =>
    (await store.query<T>({ from: { collection }, limit: MAX_PAGE })).documents;
  const runs = (await list<Run>(runsOf(TENANT))).map(({ data }) => data);
  const tasks = await Promise.all(runs.map(({ id }) => readTasks(store, TENANT, id)));
  const effects = await Promise.all(runs.map(({ id }) => list<Effect>(`${runsOf(TENANT)}/${id}/effects`)));
  return {
    runs,
    tasks: tasks.flat(),
    effects: effects.flat().map(({ ref, data }) => ({ id: ref.id, effect: data })),
    letters: (await list<DeadLetter>(lettersOf(TENANT))).map(({ data }) => data),
    decisions: (await list<Decision>(decisionsOf(TENANT))).map(({ data }) => data),
  };
}

/** What the records must say, whatever broke on the way. */
export function judgeRecords(records: Records, faults: readonly Fault[], ledger: ProviderLedger): string[] {
  const [run] = records.runs;
  if (run === undefined || records.runs.length > 1)
    return [`${records.runs.length} runs are recorded; one is due`];
  const { tasks, decisions } = records;
  return [
    ...judgeEnd(run, tasks, faults),
    ...judgeRun(run),
    ...tasks.flatMap(judgeTask),
    ...judgeEffects(records, run),
    ...judgeLetters(records, run),
    ...decisions.filter(({ state }) => state === 'open').map(({ id }) => `decision ${id} is still open`),
    ...judgeSpend(run, tasks, { ...ledger, losses: lossesOf(faults, tasks) }),
  ];
}

function judgeRun(run: Run): string[] {
  const terminal = run.history.filter(({ state }) => isTerminal(state as Run['stage']));
  return [
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
    ...task.attempts.flatMap(({ generation, exit, meter }) => [
      ...(exit === undefined ? [`attempt ${task.id}/${generation} has no end`] : []),
      ...(meter.reservedMicroUsd === 0 ? [] : [`attempt ${task.id}/${generation} has an open reservation`]),
    ]),
  ];
}

/** Done again and again, so never done with: only its claim counts. */
const REPEATED = 'notify';

function judgeEffects({ effects }: Records, run: Run): string[] {
  return effects.flatMap(({ id, effect: { state, claimUntil } }) => {
    if (state === 'done') return [];
    if (claimUntil !== 0) return [`effect ${id} is claimed, and nobody is at it`];
    return run.stage === 'succeeded' && id !== REPEATED ? [`effect ${id} is intended and not done`] : [];
  });
}

/** What a failed task leaves for a person is as it should be. */
function judgeLetters({ letters, tasks }: Records, run: Run): string[] {
  return letters.flatMap((letter) => {
    if (letter.kind === 'message') return [`a dead letter of ${letter.subscription}: ${letter.error}`];
    const isDue =
      run.stage === 'failed' && tasks.some(({ id, state }) => id === letter.task && state === 'failed');
    return isDue ? [] : [`a dead letter of task ${letter.task}: ${letter.error}`];
  });
}

/** A fault may lose two answers: one with its process, one with the lease of its attempt. */
function lossesOf(faults: readonly Fault[], tasks: readonly Task[]): number {
  const breaking = faults.filter(({ kind }) => ['kill', 'fail', 'clock', 'emulator'].includes(kind)).length;
  const lost = tasks
    .flatMap(({ attempts }) => attempts)
    .filter(({ exit }) => exit?.outcome === 'lost').length;
  return 2 * breaking + lost;
}

/** One line for people. */
export function taskText(task: Task): string {
  const attempts = task.attempts.map(
    ({ generation, exit, meter }) =>
      `${generation} ${exit?.outcome ?? 'open'} ${exit?.code ?? ''} ${meter.spentMicroUsd}/${meter.calls}`,
  );
  return `${task.id} ${task.state}: ${attempts.join(', ')}`;
}
