import { isTerminal, type Run } from './run.ts';
import { isUnderWay, type Task } from './task.ts';

/** The sweep asks for what is lost each minute: what has not moved for an hour will not move by itself. */
const STUCK_MS = 60 * 60_000;

/** Whether a run might be stuck, as far as its own record tells: it is not held, and waits for no person and no CI. */
export function mayBeStuck(run: Run, now: number): boolean {
  if (isTerminal(run.stage) || run.paused) return false;
  if (run.stage === 'awaiting_approval' || run.stage === 'awaiting_review') return false;
  return now - (run.history.at(-1)?.at ?? now) > STUCK_MS;
}

/** Whole hours for which nothing has changed in it, where no attempt is under way, nobody is asked, and no retry is due later; else 0. */
export function stuckHours(run: Run, tasks: readonly Task[], now: number): number {
  const waits = tasks.some(
    (task) => isUnderWay(task) || task.state === 'blocked' || (task.live && task.notBefore > now),
  );
  if (waits || !mayBeStuck(run, now)) return 0;
  const last = Math.max(...[run, ...tasks].map(({ history }) => history.at(-1)?.at ?? 0));
  return Math.floor((now - last) / STUCK_MS);
}
