import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Container, startContainer } from './container.ts';
import { GoogleApiError, type GoogleServer, type OperationCall, startGoogleServer } from './google-server.ts';
import { pageOf } from './page-of.ts';
import { type RunBody, runOperations } from './run-operations.ts';
import {
  beingCancelled,
  endedExecution,
  type EnvVar,
  type ExecutionEnd,
  newExecution,
  type RunExecution,
} from './run-execution.ts';

export interface RunStandInOptions {
  /** @default any free one */
  port?: number;
  /** Full names of the jobs that exist, `projects/P/locations/R/jobs/J`. */
  jobs: string[];
  /** What a container is: program and arguments. Absent: executions are records, and run until `end` or a cancel. */
  command?: string[];
  /** Of the jobs themselves; an execution's overrides come on top. @default {} */
  environment?: Record<string, string>;
  /** One file per execution with what it prints. */
  logFolder?: string;
  /** Between SIGTERM and SIGKILL. @default 10000, as Cloud Run has it */
  graceMs?: number;
  /** The most that a page holds, whatever is asked for. @default 100 */
  maxPageSize?: number;
  /** @default Date.now */
  now?: () => number;
}

export interface RunStandIn extends GoogleServer {
  /** Newest first. */
  executions(): RunExecution[];
  /** Ends an execution that is a record only. */
  end(name: string, how: ExecutionEnd): void;
  /** Executions that are created from now on stay out of so many answers to a list. */
  lagLists(calls: number): void;
}

interface Kept {
  execution: RunExecution;
  /** Not shown in so many lists. */
  hidden: number;
  isCancelled: boolean;
  container?: Container;
}

const CANCEL_GRACE_MS = 10_000;

/**
 * Cloud Run's Admin API v2, as far as jobs are run with it (https://cloud.google.com/run/docs/reference/rest). With a
 * command each execution is a child process, and none outlives `stop` or the process that the stand-in is in.
 */
export async function startRunStandIn(options: RunStandInOptions): Promise<RunStandIn> {
  const { maxPageSize = 100, graceMs = CANCEL_GRACE_MS, now = Date.now } = options;
  const kept = new Map<string, Kept>();
  let lag = 0;
  const at = () => new Date(now()).toISOString();
  const newest = () => [...kept.values()].toReversed();
  const killAll = () => newest().forEach(({ container }) => container?.kill());
  process.once('exit', killAll);

  function end(name: string, how: ExecutionEnd): void {
    const one = find(name);
    one.execution = endedExecution(one.execution, how, at());
  }

  function find(name = ''): Kept {
    const one = kept.get(name);
    if (one === undefined)
      throw new GoogleApiError(404, `Resource '${name}' of kind 'EXECUTION' was not found.`);
    return one;
  }

  function run({ parameters, body }: OperationCall<RunBody>): object {
    const job = requireJob(options, parameters['job']);
    const env = mergeEnv(options.environment ?? {}, body.overrides?.containerOverrides?.[0]?.env ?? []);
    const execution = newExecution(job, env, at());
    if (body.validateOnly === true) return operationOf(execution);
    const one: Kept = { execution, hidden: lag, isCancelled: false };
    kept.set(execution.name, one);
    const container =
      options.command === undefined ? undefined : containerOf(options, options.command, execution);
    if (container !== undefined) {
      one.container = container;
      void container.ended.then((isGood) =>
        end(execution.name, one.isCancelled ? 'cancelled' : isGood ? 'succeeded' : 'failed'),
      );
    }
    return operationOf(execution);
  }

  function list({ parameters, query }: OperationCall): object {
    const job = requireJob(options, parameters['job']);
    const all = newest().filter(
      ({ execution, hidden }) => hidden <= 0 && execution.name.startsWith(`${job}/`),
    );
    for (const one of kept.values()) one.hidden -= 1;
    const { items, nextPageToken } = pageOf(all, query, maxPageSize);
    return { executions: items.map(({ execution }) => execution), nextPageToken };
  }

  function cancel({ parameters }: OperationCall): object {
    const one = find(parameters['name']);
    if (one.execution.completionTime !== undefined) {
      throw new GoogleApiError(400, 'The execution has already completed.', 'FAILED_PRECONDITION');
    }
    const isRepeat = one.isCancelled;
    one.isCancelled = true;
    if (one.container === undefined) end(one.execution.name, 'cancelled');
    else one.execution = beingCancelled(one.execution, at());
    if (!isRepeat) void one.container?.stop(graceMs);
    return operationOf(one.execution);
  }

  const server = await startGoogleServer(
    runOperations({ run, list, get: ({ parameters }) => find(parameters['name']).execution, cancel }),
    options.port === undefined ? {} : { port: options.port },
  );
  return {
    ...server,
    executions: () => newest().map(({ execution }) => execution),
    end,
    lagLists: (calls) => void (lag = calls),
    stop: async () => {
      await server.stop();
      await Promise.all(newest().map(async ({ container }) => container?.stop(graceMs)));
      process.off('exit', killAll);
    },
  };
}

function requireJob({ jobs }: RunStandInOptions, job = ''): string {
  if (!jobs.includes(job))
    throw new GoogleApiError(404, `Resource '${job.split('/').at(-1)}' of kind 'JOB' was not found.`);
  return job;
}

function mergeEnv(own: Record<string, string>, overrides: EnvVar[]): EnvVar[] {
  const merged = new Map(Object.entries(own));
  for (const { name, value = '' } of overrides) merged.set(name, value);
  return [...merged].map(([name, value]) => ({ name, value }));
}

/** Cloud Run adds its own variables (https://cloud.google.com/run/docs/container-contract#jobs-env-vars). */
function containerOf(
  { logFolder }: RunStandInOptions,
  command: string[],
  { name, job, template }: RunExecution,
): Container {
  const execution = name.split('/').at(-1) ?? '';
  const env = template.containers
    .flatMap((container) => container.env)
    .map((one) => [one.name, one.value ?? '']);
  const environment = {
    ...(Object.fromEntries(env) as Record<string, string>),
    CLOUD_RUN_JOB: job,
    CLOUD_RUN_EXECUTION: execution,
    CLOUD_RUN_TASK_INDEX: '0',
    CLOUD_RUN_TASK_ATTEMPT: '0',
    CLOUD_RUN_TASK_COUNT: '1',
  };
  const logFile = logFolder === undefined ? undefined : join(logFolder, `${execution}.log`);
  return startContainer({ command, environment, logFile });
}

/** A long-running operation that goes on for as long as its execution. */
function operationOf(execution: RunExecution): object {
  const place = execution.name.replace(/\/jobs\/.*$/, '');
  const metadata = { '@type': 'type.googleapis.com/google.cloud.run.v2.Execution', ...execution };
  return { name: `${place}/operations/${randomUUID()}`, metadata };
}
