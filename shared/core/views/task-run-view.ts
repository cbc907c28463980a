import type { TaskRun } from '../../messages/task-run.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { finalizersOf } from '../deletion/finalizers.ts';
import type { HistoryEntry } from '../history.ts';
import { isTerminal, type Run, type Stage } from '../run.ts';
import type { Task } from '../task.ts';
import { isoTime } from './iso-time.ts';
import { eventsOf, extendOrder } from './run-feed.ts';

type Phase = TaskRun['status']['phase'];
type Condition = TaskRun['status']['conditions'][number];

/** Newest that are shown. */
const MAX_EVENTS = 200;

/**
 * A directly submitted task in the shape of a Kubernetes resource (002-19..30). Nothing of it is stored: phase and conditions
 * follow from the histories of the run and its tasks.
 * @throws PenstockError `not_found` for a run that was not submitted as a task.
 */
export function taskRunView(run: Run, tasks: readonly Task[]): TaskRun {
  const { taskRun } = run;
  if (taskRun === undefined)
    throw new PenstockError('not_found', `run ${run.id} was not submitted as a TaskRun`);
  return {
    apiVersion: 'orchestrator.io/v1',
    kind: 'TaskRun',
    metadata: {
      name: taskRun.name,
      namespace: run.tenant,
      creationTimestamp: isoTime(run.createdAt),
      ...(run.deletingSince === undefined ? {} : { deletionTimestamp: isoTime(run.deletingSince) }),
      finalizers: [...finalizersOf(run)],
    },
    spec: {
      taskId: taskRun.taskId,
      serviceName: taskRun.serviceName,
      priority: run.priority,
      markdownFiles: taskRun.files,
      retryAttempt: taskRun.retryAttempt,
    },
    status: {
      phase: phaseOf(run.stage),
      conditions: conditionsOf(run, tasks),
      configMapName: `${taskRun.name}-files`,
      jobName: `${taskRun.name}-job`,
      runId: run.id,
      events: shownEvents(run, tasks),
    },
  };
}

const phases: Record<Stage, Phase> = {
  accepted: 'Pending',
  planning: 'Pending',
  awaiting_approval: 'Pending',
  executing: 'Running',
  integrating: 'Running',
  awaiting_review: 'Running',
  cancelling: 'Running',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** 002-26; the fifth, `Cancelled`, is ours. */
export function phaseOf(stage: Stage): Phase {
  return phases[stage];
}

/** The five stages of the lifecycle (002-30), in order. */
function conditionsOf(run: Run, tasks: readonly Task[]): Condition[] {
  const planned = run.history.find(({ state }) => state === 'executing');
  const started = firstStart(tasks);
  const ended = isTerminal(run.stage) ? run.history.at(-1) : undefined;
  const why = run.reason?.message ?? `the run ended ${run.stage}`;
  return [
    condition('Created', 'True', run.createdAt, 'Accepted', 'the task is recorded'),
    planned !== undefined
      ? condition('Validated', 'True', planned.at, 'PlanValid', 'schema, agents and dependencies are valid')
      : ended === undefined
        ? condition('Validated', 'Unknown', run.createdAt, 'Pending', 'validation has not finished')
        : condition('Validated', 'False', ended.at, run.reason?.code ?? 'Ended', why),
    started !== undefined
      ? condition(
          'ResourcesReady',
          'True',
          started.at,
          'AttemptStarted',
          `${started.by} has its workspace and files`,
        )
      : ended === undefined
        ? condition('ResourcesReady', 'False', run.createdAt, 'Pending', 'no attempt has started')
        : condition('ResourcesReady', 'False', ended.at, 'NeverStarted', why),
    monitoring(run, started, ended),
    cleanUp(run, ended),
  ];
}

/** True while attempts are watched by their leases. */
function monitoring(run: Run, started: HistoryEntry | undefined, ended: HistoryEntry | undefined): Condition {
  if (ended !== undefined)
    return condition('Monitored', 'False', ended.at, 'Ended', `the run ended ${run.stage}`);
  return started === undefined
    ? condition('Monitored', 'False', run.createdAt, 'Pending', 'no attempt has started')
    : condition('Monitored', 'True', started.at, 'Leased', 'attempts are watched by their leases');
}

/** True while nothing is left to be cleaned: of a run that has ended, until its deletion is asked for. */
function cleanUp(run: Run, ended: HistoryEntry | undefined): Condition {
  if (run.deletingSince !== undefined) {
    const left = finalizersOf(run).join(', ') || 'the record itself';
    return condition('CleanedUp', 'False', run.deletingSince, 'Deleting', `still to be deleted: ${left}`);
  }
  return ended === undefined
    ? condition('CleanedUp', 'False', run.createdAt, 'Live', 'the run has not ended')
    : condition('CleanedUp', 'True', ended.at, 'Ended', 'no attempt is live, nothing is reserved any more');
}

function condition(
  type: Condition['type'],
  status: Condition['status'],
  at: number,
  reason: string,
  message: string,
): Condition {
  return { type, status, lastTransitionTime: isoTime(at), reason, message };
}

function firstStart(tasks: readonly Task[]): HistoryEntry | undefined {
  return tasks
    .filter(({ kind }) => kind !== 'plan')
    .flatMap(({ history }) => history.filter(({ state }) => state === 'running'))
    .toSorted((a, b) => a.at - b.at)[0];
}

function shownEvents(run: Run, tasks: readonly Task[]): TaskRun['status']['events'] {
  const events = eventsOf(run, tasks, extendOrder(undefined, run, tasks));
  return events.slice(-MAX_EVENTS).map(({ at, task, state, note }) => ({
    at,
    type: state === 'failed' || state === 'skipped' ? 'Warning' : 'Normal',
    message: `${task ?? 'run'} ${state}${note === undefined ? '' : `: ${note}`}`,
  }));
}
