import { PenstockError } from '../../ports/penstock-error.ts';
import { appendHistory } from '../history.ts';
import type { Run } from '../run.ts';
import { MAX_ATTEMPTS, spentMicroUsd, type Task } from '../task.ts';
import { usd } from '../usd.ts';
import { contentHashOf } from './content-hash.ts';
import type { Ask, DecisionAnswer } from './decision.ts';

/** Who answers, and when: what the history says about it. */
export interface Answered {
  at: number;
  by: string;
}

/** Asks whether the run may spend more, because one of its tasks has stopped at its limit. */
export function askBudgetRaise(run: Run, task: Task): Ask {
  const spent = spentMicroUsd(task);
  const { limitMicroUsd } = run.budget;
  return {
    kind: 'budget_raise',
    question:
      `Task ${task.id} stopped at its limit: it has spent ${usd(spent)} of its ${usd(task.allotmentMicroUsd)}, ` +
      `and run ${run.id} may spend ${usd(limitMicroUsd)} in all. May the run spend more?`,
    options: [
      {
        id: 'raise',
        label: `Raise the run's total (to ${usd(2 * limitMicroUsd)} unless you name another) and let the task go on`,
        needs: 'budgetUsd',
      },
      { id: 'stop', label: 'Let the task fail; what it has stored is kept' },
    ],
    safeOption: 'stop',
    contentHash: contentHashOf([
      'budget_raise',
      run.id,
      task.id,
      task.attempts.length,
      limitMicroUsd,
      task.allotmentMicroUsd,
    ]),
  };
}

/** The total that an answer asks for. Throws `invalid` where it is no raise, `conflict` where no attempt is left to spend it. */
export function raisedTotal(run: Run, task: Task, answer: DecisionAnswer): number {
  const { limitMicroUsd } = run.budget;
  const total = answer.budgetMicroUsd ?? 2 * limitMicroUsd;
  if (total <= limitMicroUsd) {
    throw new PenstockError(
      'invalid',
      `run ${run.id} may spend ${usd(limitMicroUsd)} already; a raise names a larger total than that, not ${usd(total)}`,
    );
  }
  if (task.attempts.length >= MAX_ATTEMPTS) {
    throw new PenstockError(
      'conflict',
      `task ${task.id} of run ${run.id} has made ${MAX_ATTEMPTS} attempts, and more are never made; answer with stop`,
    );
  }
  return total;
}

/** The run with its new total, and the task with all that was added to it, waiting for its next attempt. */
export function raiseBudget(
  run: Run,
  task: Task,
  { total, at, by }: Answered & { total: number },
): { run: Run; task: Task } {
  const before = run.budget.limitMicroUsd;
  const note = `budget raised from ${usd(before)} to ${usd(total)} for task ${task.id}`;
  const { decision: _answered, ...waiting } = task;
  return {
    run: {
      ...run,
      budget: { ...run.budget, limitMicroUsd: total },
      chargedMicroUsd: total,
      updatedAt: at,
      history: appendHistory(run.history, { at, state: run.stage, by, note }),
    },
    task: {
      ...waiting,
      state: 'pending',
      // Everything that was added goes to this task: so the sum of the allotments stays within the limit.
      allotmentMicroUsd: task.allotmentMicroUsd + total - before,
      // The attempt that ran out of money was no failure; another one replaces it.
      maxAttempts: Math.min(MAX_ATTEMPTS, task.maxAttempts + 1),
      notBefore: 0,
      updatedAt: at,
      history: appendHistory(task.history, { at, state: 'pending', by, note }),
    },
  };
}

/** The task as its failed attempt would have left it without anybody to ask. */
export function stopAtLimit(task: Task, { at, by }: Answered): Task {
  const { decision: _answered, ...ended } = task;
  return {
    ...ended,
    state: 'failed',
    live: false,
    settled: task.optional,
    updatedAt: at,
    history: appendHistory(task.history, { at, state: 'failed', by, note: 'its budget was not raised' }),
  };
}
