/** As https://cloud.google.com/workflows/docs/reference/executions/rest/v1/projects.locations.workflows.executions. */
export interface Execution {
  name: string;
  createTime: string;
  /** Not while it waits in the backlog. */
  startTime?: string;
  endTime?: string;
  duration?: string;
  state: 'ACTIVE' | 'QUEUED' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'UNAVAILABLE';
  /** JSON. */
  argument: string;
  result?: string;
  error?: { payload: string; context: string };
  workflowRevisionId: string;
  callLogLevel?: string;
  labels?: Record<string, string>;
}

/** Those it does not leave. */
export const ENDED = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

export function moved(
  { endTime: _end, ...execution }: Execution,
  state: Execution['state'],
  at: string,
): Execution {
  if (state === 'QUEUED') {
    const { startTime: _start, ...waiting } = execution;
    return { ...waiting, state };
  }
  if (!ENDED.includes(state)) return { ...execution, state };
  return { ...execution, state, endTime: at, duration: '1s', ...OUTCOMES[state] };
}

const OUTCOMES: Record<string, Partial<Execution>> = {
  SUCCEEDED: { result: 'null' },
  FAILED: { error: { payload: '"it failed"', context: 'it failed\nin step "a", routine "main", line: 1' } },
  CANCELLED: { error: { payload: '"Execution is cancelled."', context: '' } },
};

/** BASIC has no argument and no outcome. */
export function seen(execution: Execution, view: string): object {
  if (view === 'FULL') return execution;
  const {
    argument: _argument,
    result: _result,
    error: _error,
    labels: _labels,
    callLogLevel: _level,
    ...basic
  } = execution;
  return basic;
}
