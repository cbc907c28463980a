import type { ExecutionView } from '../engine/execution-view.ts';
import type { StepEntry } from '../engine/journal.ts';
import { toJson } from '../values.ts';

export interface Place {
  readonly project: string;
  readonly location: string;
  readonly workflow: string;
}

export function isView(view: string): view is 'BASIC' | 'FULL' {
  return view === 'BASIC' || view === 'FULL';
}

const REVISION = '000001-000';

/** BASIC has no argument, labels and outcome. */
export function executionResource(view: ExecutionView, place: Place, detail: 'BASIC' | 'FULL'): object {
  const { state, startedMs, endedMs, current } = view;
  return {
    name: nameOf(place, view.id),
    createTime: timeOf(startedMs),
    startTime: timeOf(startedMs),
    ...(endedMs === undefined
      ? {}
      : { endTime: timeOf(endedMs), duration: `${(endedMs - startedMs) / 1_000}s` }),
    state: state.toUpperCase(),
    workflowRevisionId: REVISION,
    status: { currentSteps: current.map(({ routine, step }) => ({ routine, step })) },
    ...(detail === 'FULL' ? outcomeOf(view) : {}),
  };
}

function outcomeOf({ argument, labels, result, error, state }: ExecutionView): object {
  return {
    argument: toJson(argument),
    labels,
    ...(result === undefined ? {} : { result: toJson(result) }),
    ...(state === 'cancelled' ? { error: { payload: '"Execution is cancelled."', context: '' } } : {}),
    ...(error === undefined
      ? {}
      : {
          error: {
            payload: error.payload,
            context: error.context,
            stackTrace: {
              elements: error.stack.map(({ routine, step, line, column }) => ({
                routine,
                step,
                position: { line: String(line), column: String(column), length: '0' },
              })),
            },
          },
        }),
  };
}

export function nameOf({ project, location, workflow }: Place, id: string): string {
  return `projects/${project}/locations/${location}/workflows/${workflow}/executions/${id}`;
}

const STEP_STATES = { running: 'STATE_IN_PROGRESS', succeeded: 'STATE_SUCCEEDED', failed: 'STATE_FAILED' };

export function stepResource(entry: StepEntry, place: Place, execution: string): object {
  const { id, routine, step, kind, startedMs, endedMs, state } = entry;
  return {
    name: `${nameOf(place, execution)}/stepEntries/${id}`,
    createTime: timeOf(startedMs),
    ...(endedMs === undefined ? {} : { updateTime: timeOf(endedMs) }),
    routine,
    step,
    stepType: `STEP_${kind.toUpperCase()}`,
    state: STEP_STATES[state],
    entryId: String(id),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
