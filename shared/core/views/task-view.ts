import type { AttemptView, TaskView } from '../../messages/run-view.ts';
import { spentMicroUsd, type Task, type TaskAttempt } from '../task.ts';
import { isoTime } from './iso-time.ts';
import { historyView } from './run-view.ts';

/** A task as its readers see it, with all its attempts. */
export function taskView(task: Task): TaskView {
  const { result } = task;
  const startedAt = task.attempts[0]?.startedAt;
  const changed = result?.changeSet;
  return {
    id: task.id,
    run: task.run,
    kind: task.kind,
    title: task.title,
    agent: task.agent,
    ...(task.capability === undefined ? {} : { capability: task.capability }),
    lane: task.lane,
    state: task.state,
    dependencies: task.dependencies,
    ...(task.parent === undefined ? {} : { parent: task.parent }),
    optional: task.optional,
    instructions: task.instructions,
    acceptance: task.acceptance,
    scope: task.scope,
    spentMicroUsd: spentMicroUsd(task),
    allotmentMicroUsd: task.allotmentMicroUsd,
    ...(task.live && task.notBefore > 0 ? { notBefore: isoTime(task.notBefore) } : {}),
    ...(result === undefined ? {} : { summary: result.summary }),
    ...(changed === undefined
      ? {}
      : { changeSet: { files: changed.files, added: changed.added, deleted: changed.deleted } }),
    checks: result?.checks ?? [],
    ...(result?.review === undefined ? {} : { review: result.review }),
    ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
    ...(task.live ? {} : { endedAt: isoTime(endOf(task)) }),
    attempts: task.attempts.map((attempt) => attemptView(task, attempt)),
    history: historyView(task.history),
  };
}

/** An attempt without its secrets' hashes and its host. */
export function attemptView(task: Task, attempt: TaskAttempt): AttemptView {
  const { exit, model, endedAt } = attempt;
  return {
    generation: attempt.generation,
    agent: attempt.agent,
    agentHash: attempt.agentHash,
    ...(model === undefined ? {} : { model }),
    state: exit?.outcome ?? openState(task, attempt),
    startedAt: isoTime(attempt.startedAt),
    ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }),
    meter: attempt.meter,
    ...(exit === undefined ? {} : { exit: exitView(exit) }),
  };
}

/** Whether nothing is added to its transcript any more. */
export function hasEnded(task: Task, attempt: TaskAttempt): boolean {
  return attempt.exit !== undefined || !task.live || attempt !== task.attempts.at(-1);
}

/** An attempt that lost its task with the run's end has no exit of its own. */
function openState(task: Task, attempt: TaskAttempt): string {
  return hasEnded(task, attempt) ? 'cancelled' : task.state;
}

function exitView({ outcome, code, class: errorClass, message, remedy }: NonNullable<TaskAttempt['exit']>) {
  return {
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(errorClass === undefined ? {} : { class: errorClass }),
    ...(message === undefined ? {} : { message }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function endOf(task: Task): number {
  return task.history.at(-1)?.at ?? task.updatedAt;
}
