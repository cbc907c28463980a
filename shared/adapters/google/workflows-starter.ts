import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { isLonger } from '../../ports/utf8-length.ts';
import type {
  WorkflowExecution,
  WorkflowRequest,
  WorkflowStarter,
  WorkflowState,
} from '../../ports/workflow-starter.ts';
import { refusalOf } from './google-call.ts';
import { makeOnce } from './lost-answer.ts';
import {
  createWorkflowExecutions,
  type ExecutionMessage,
  type WorkflowExecutions,
  type WorkflowExecutionsConfig,
} from './workflow-executions.ts';

export interface WorkflowsStarterConfig extends WorkflowExecutionsConfig {
  clock: Clock;
  log: Log;
}

/** Google's limit. */
const MAX_ARGUMENT_BYTES = 32 * 1024;
/** As far as a lost execution is looked for behind those that were started after it. */
const MAX_PAGES = 5;
/** By how much Google's clock may be behind ours. */
const CLOCK_SKEW_MS = 60_000;

const STATES: Record<string, WorkflowState> = {
  ACTIVE: 'active',
  QUEUED: 'active',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
};

/** Executions of Google Cloud Workflows. */
export function createWorkflowsStarter(config: WorkflowsStarterConfig): WorkflowStarter {
  const { clock, log } = config;
  const executions = createWorkflowExecutions(config);
  return {
    start: async (request) => {
      const { workflow, argument } = request;
      const { tenant, run } = argument;
      const text = encodeArgument(request);
      const since = clock.now() - CLOCK_SKEW_MS;
      const repeating = `no answer to the start of workflow ${workflow}, and no execution of it: it is started again`;
      const { name } = await makeOnce({
        clock,
        make: () => executions.create(request, text),
        find: () => findExecution(executions, request, since),
        onRepeat: () => log.warn(repeating, { tenant, run }),
      });
      return { workflow, id: name?.split('/').at(-1) ?? '' };
    },
    cancel: (execution) => cancelExecution(executions, execution),
    state: (execution) => readState(executions, execution),
  };
}

function encodeArgument({ workflow, argument }: WorkflowRequest): string {
  const text = JSON.stringify(argument);
  if (!isLonger(text, MAX_ARGUMENT_BYTES)) return text;
  throw new PenstockError(
    'too_large',
    `the argument of workflow ${workflow} for run ${argument.run} has more than ${MAX_ARGUMENT_BYTES} bytes; hand over ids only`,
  );
}

/** The newest with that argument among those since then. */
async function findExecution(
  executions: WorkflowExecutions,
  request: WorkflowRequest,
  since: number,
): Promise<ExecutionMessage | undefined> {
  let token = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const listed = await executions.list(request.workflow, token);
    const found = listed.executions.find((one) => startedAt(one) >= since && isFor(one, request));
    if (found !== undefined) return found;
    if (listed.nextToken === '' || listed.executions.some((one) => startedAt(one) < since)) return undefined;
    token = listed.nextToken;
  }
  return undefined;
}

/** One that waits in Google's backlog has not started yet: it is new. */
function startedAt({ startTime }: ExecutionMessage): number {
  return startTime?.seconds == null ? Number.POSITIVE_INFINITY : Number(startTime.seconds) * 1_000;
}

function isFor({ argument: found }: ExecutionMessage, { argument }: WorkflowRequest): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(found ?? ''), argument);
  } catch {
    return false;
  }
}

/** One that has ended, or is gone, is what was asked for. */
async function cancelExecution(executions: WorkflowExecutions, execution: WorkflowExecution): Promise<void> {
  try {
    await executions.cancel(execution);
  } catch (error) {
    const isOver = error instanceof PenstockError && ['config', 'invalid', 'conflict'].includes(error.code);
    if (!isOver || refusalOf(error) !== undefined) throw error;
  }
}

/** Google forgets an execution after 90 days. */
async function readState(
  executions: WorkflowExecutions,
  execution: WorkflowExecution,
): Promise<WorkflowState> {
  try {
    const { state } = await executions.get(execution);
    return STATES[String(state)] ?? 'unavailable';
  } catch (error) {
    const isGone = error instanceof PenstockError && error.code === 'config';
    if (!isGone || refusalOf(error) !== undefined) throw error;
    return 'unavailable';
  }
}
