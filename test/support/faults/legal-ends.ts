import type { Run } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { Fault } from './fault.ts';

/** Attempts that a task has, as the platform's policy says. */
const MAX_ATTEMPTS = 3;
/** Tries of one call of the model, the client's own included. */
const TRIES_OF_A_CALL = 3;

/**
 * How many attempts a fault may cost. Messages cost none: a lost one is asked for again, a doubled one claims nothing. A model that
 * refuses is asked again by its client first.
 */
export function attemptsAtStake(fault: Fault): number {
  if (fault.kind === 'message') return 0;
  if (fault.kind !== 'model') return 1;
  const isRefusal = ['rate_limit', 'overloaded', 'error'].includes(fault.how);
  return isRefusal ? Math.floor(fault.times / TRIES_OF_A_CALL) : fault.times;
}

/** Whether a run may end as failed: its faults may have used up all attempts of a task. Otherwise it has to succeed. */
export function mayFail(faults: readonly Fault[]): boolean {
  const cost = faults.reduce((sum, fault) => sum + attemptsAtStake(fault), 0);
  return cost >= MAX_ATTEMPTS || faults.reduce((sum, fault) => sum + badAnswers(fault), 0) >= 2;
}

/** What looks like bad work of the agent is not tried a third time: the same failure twice ends a task. */
function badAnswers(fault: Fault): number {
  return fault.kind === 'model' && fault.how === 'nonsense' ? fault.times : 0;
}

/** Where a run ended as it must not. */
export function judgeEnd(run: Run, tasks: readonly Task[], faults: readonly Fault[]): string[] {
  if (run.stage === 'succeeded') return [];
  const ended = `the run is ${run.stage}: ${run.reason?.message ?? ''}`;
  if (run.stage !== 'failed' || !mayFail(faults)) return [ended];
  return tasks.some(isWornOut) ? [] : [`${ended}; no task has used up its attempts`];
}

function isWornOut({ state, attempts, maxAttempts }: Task): boolean {
  if (state !== 'failed') return false;
  return attempts.length >= maxAttempts || /the same failure came/.test(attempts.at(-1)?.exit?.message ?? '');
}
