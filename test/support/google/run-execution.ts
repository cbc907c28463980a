import { randomUUID } from 'node:crypto';

export interface EnvVar {
  name: string;
  value?: string | undefined;
}

interface Condition {
  type: string;
  state: 'CONDITION_PENDING' | 'CONDITION_RECONCILING' | 'CONDITION_FAILED' | 'CONDITION_SUCCEEDED';
  message?: string;
  lastTransitionTime: string;
  severity?: 'ERROR' | 'WARNING' | 'INFO';
  executionReason?: 'NON_ZERO_EXIT_CODE' | 'CANCELLED' | 'CANCELLING';
}

/** As https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs.executions; what is zero is left out. */
export interface RunExecution {
  name: string;
  uid: string;
  creator: string;
  generation: '1';
  createTime: string;
  startTime: string;
  completionTime?: string;
  updateTime: string;
  launchStage: 'GA';
  /** Its short name. */
  job: string;
  parallelism: 1;
  taskCount: 1;
  template: {
    containers: { image: string; env: EnvVar[]; resources: { limits: Record<string, string> } }[];
    maxRetries: 0;
    timeout: string;
    serviceAccount: string;
    executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2';
  };
  reconciling?: true;
  conditions: Condition[];
  observedGeneration: '1';
  runningCount?: 1;
  succeededCount?: 1;
  failedCount?: 1;
  cancelledCount?: 1;
  logUri: string;
  etag: string;
}

export type ExecutionEnd = 'succeeded' | 'failed' | 'out_of_memory' | 'cancelled';

const COUNTS = {
  succeeded: 'succeededCount',
  failed: 'failedCount',
  out_of_memory: 'failedCount',
  cancelled: 'cancelledCount',
} as const;

export function newExecution(jobName: string, env: EnvVar[], at: string): RunExecution {
  const job = jobName.split('/').at(-1) ?? '';
  const uid = randomUUID();
  const [, project = ''] = jobName.split('/');
  const account = `agent-job@${project}.iam.gserviceaccount.com`;
  return {
    name: `${jobName}/executions/${job}-${uid.slice(-5)}`,
    uid,
    creator: `agent-execution@${project}.iam.gserviceaccount.com`,
    generation: '1',
    createTime: at,
    startTime: at,
    updateTime: at,
    launchStage: 'GA',
    job,
    parallelism: 1,
    taskCount: 1,
    template: {
      containers: [{ image: 'agent-job', env, resources: { limits: { cpu: '1000m', memory: '512Mi' } } }],
      maxRetries: 0,
      timeout: '86400s',
      serviceAccount: account,
      executionEnvironment: 'EXECUTION_ENVIRONMENT_GEN2',
    },
    reconciling: true,
    conditions: [
      { type: 'Completed', state: 'CONDITION_RECONCILING', lastTransitionTime: at },
      { type: 'Started', state: 'CONDITION_SUCCEEDED', lastTransitionTime: at },
    ],
    observedGeneration: '1',
    runningCount: 1,
    logUri: `https://console.cloud.google.com/logs/viewer?project=${project}`,
    etag: `"${uid}/1"`,
  };
}

export function beingCancelled(execution: RunExecution, at: string): RunExecution {
  const completed: Condition = {
    type: 'Completed',
    state: 'CONDITION_RECONCILING',
    message: 'The execution is being cancelled.',
    lastTransitionTime: at,
    executionReason: 'CANCELLING',
  };
  return { ...execution, updateTime: at, conditions: [completed, ...others(execution)] };
}

export function endedExecution(execution: RunExecution, end: ExecutionEnd, at: string): RunExecution {
  const { reconciling: _reconciling, runningCount: _running, ...rest } = execution;
  const completed = { type: 'Completed', lastTransitionTime: at, ...CONDITIONS[end] };
  return {
    ...rest,
    completionTime: at,
    updateTime: at,
    conditions: [completed, ...others(execution)],
    [COUNTS[end]]: 1,
  };
}

const CONDITIONS: Record<ExecutionEnd, Pick<Condition, 'state' | 'message' | 'executionReason'>> = {
  succeeded: { state: 'CONDITION_SUCCEEDED', message: 'Execution completed successfully.' },
  failed: {
    state: 'CONDITION_FAILED',
    message: 'The container exited with an error.',
    executionReason: 'NON_ZERO_EXIT_CODE',
  },
  // Reported by users; Google documents no text for it.
  out_of_memory: {
    state: 'CONDITION_FAILED',
    message:
      'Task agent-job-task0 failed with message: Memory limit of 4096 MiB exceeded with 4100 MiB used.',
    executionReason: 'NON_ZERO_EXIT_CODE',
  },
  cancelled: {
    state: 'CONDITION_FAILED',
    message: 'The execution was cancelled.',
    executionReason: 'CANCELLED',
  },
};

function others({ conditions }: RunExecution): Condition[] {
  return conditions.filter(({ type }) => type !== 'Completed');
}
