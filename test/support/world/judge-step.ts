import { canAdvance } from '../../../shared/core/advance-run.ts';
import { appendHistory, type HistoryEntry } from '../../../shared/core/history.ts';
import { isTerminal, type Run, type Stage } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';

/** A broken promise, by the name of the promise. */
export type Breach = (promise: string, what: string) => void;

/** Entries are only ever added, each chained to the one before, and the last one tells the state. */
export function judgeEntries(
  name: string,
  before: { history: HistoryEntry[] } | undefined,
  { history, state }: { history: HistoryEntry[]; state: string },
  breach: Breach,
): void {
  const known = before?.history ?? [];
  let chain = known;
  const isKept = known.every(({ hash }, at) => history[at]?.hash === hash);
  if (isKept) for (const entry of history.slice(known.length)) chain = appendHistory(chain, entry);
  if (!isKept || chain.at(-1)?.hash !== history.at(-1)?.hash)
    breach('history is only added to', `${name}: ${history.map((entry) => entry.state).join(' ')}`);
  if (history.at(-1)?.state !== state)
    breach(
      'state equals the fold of history',
      `${name} is ${state}, its history tells ${history.at(-1)?.state}`,
    );
}

export function judgeTask(before: Task, task: Task, breach: Breach): void {
  // A start for which there was no room is undone as if it had never been.
  const isReturned = before.state === 'starting' && task.state === 'ready';
  judgeEntries(`task ${task.id}`, isReturned ? undefined : before, task, breach);
  if (!before.live && outcomeOf(before) !== outcomeOf(task))
    breach('a task ends once', `${task.id}: ${outcomeOf(before)} became ${outcomeOf(task)}`);
  for (const [at, attempt] of before.attempts.entries()) {
    const now = task.attempts[at];
    const isGone = now === undefined && !(isReturned && attempt.claimHash === undefined);
    if (isGone) breach('attempts are numbered without gap', `${task.id}/${attempt.generation} is gone`);
    if (attempt.exit !== undefined && JSON.stringify(attempt) !== JSON.stringify(now))
      breach('a stale generation changes nothing', `${task.id}/${attempt.generation} changed after its end`);
    const isTaken = attempt.claimHash !== undefined && now?.claimHash !== attempt.claimHash;
    if (isTaken) breach('a generation is claimed once', `${task.id}/${attempt.generation} was claimed again`);
  }
  if (task.attempts.some(({ generation }, at) => generation !== at + 1))
    breach(
      'attempts are numbered without gap',
      `${task.id}: ${task.attempts.map((each) => each.generation).join(', ')}`,
    );
}

function outcomeOf({ state, live, settled, result, attempts }: Task): string {
  return JSON.stringify({ state, live, settled, result, attempts });
}

export function judgeStages(before: Run, run: Run, breach: Breach): void {
  if (isTerminal(before.stage) && JSON.stringify(before.history) !== JSON.stringify(run.history))
    breach('a run has one terminal entry', `run ${run.id} was ${before.stage} and became ${run.stage}`);
  let from = before.stage;
  for (const { state } of run.history.slice(before.history.length)) {
    const to = state as Stage;
    if (to !== from && !canAdvance(from, to)) breach('stages follow their machine', `${from} became ${to}`);
    from = to;
  }
}

export function judgeBudget(run: Run, tasks: Task[], breach: Breach): void {
  const meters = tasks.flatMap(({ attempts }) => attempts.map(({ meter }) => meter));
  const bound = meters.reduce((sum, meter) => sum + meter.spentMicroUsd + meter.reservedMicroUsd, 0);
  if (bound > run.budget.limitMicroUsd)
    breach('spend never passes the budget', `${bound} of ${run.budget.limitMicroUsd} are bound`);
}
