import { PenstockError } from '../ports/penstock-error.ts';
import { appendHistory } from './history.ts';
import { type EndReason, isTerminal, type Run, type Stage } from './run.ts';

/** The stage machine: every transition of a run, and no other code has one. */
const edges: Record<Stage, readonly Stage[]> = {
  accepted: ['planning', 'failed', 'cancelling'],
  planning: ['awaiting_approval', 'executing', 'succeeded', 'failed', 'cancelling'],
  awaiting_approval: ['executing', 'failed', 'cancelling'],
  executing: ['integrating', 'succeeded', 'failed', 'cancelling'],
  integrating: ['awaiting_review', 'failed', 'cancelling'],
  awaiting_review: ['integrating', 'succeeded', 'failed', 'cancelling'],
  cancelling: ['cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

export function canAdvance(from: Stage, to: Stage): boolean {
  return edges[from].includes(to);
}

export interface Step {
  at: number;
  by: string;
  note?: string;
  reason?: EndReason;
  tasksRoot?: string;
}

/**
 * The run in its next stage, with the entry that explains it. A terminal entry is written once: there is no edge out of a terminal stage.
 * @throws PenstockError `conflict` where the machine has no such edge.
 */
export function advanceRun(run: Run, to: Stage, step: Step): Run {
  if (!canAdvance(run.stage, to)) {
    throw new PenstockError('conflict', `run ${run.id} is ${run.stage} and cannot become ${to}`);
  }
  const { at, by } = step;
  const note = step.note ?? step.reason?.message;
  const reason = step.reason ?? run.reason;
  return {
    ...run,
    stage: to,
    updatedAt: at,
    history: appendHistory(run.history, { at, state: to, by, ...(note === undefined ? {} : { note }) }),
    ...(reason === undefined ? {} : { reason }),
    ...(isTerminal(to) ? { endedAt: at } : {}),
    // What stops, or has stopped, waits for nobody to resume it.
    ...(isTerminal(to) || to === 'cancelling' ? { paused: false } : {}),
    ...(step.tasksRoot === undefined ? {} : { tasksRoot: step.tasksRoot }),
  };
}
