import type { Clock } from '../../ports/clock.ts';
import {
  attemptPath,
  jobEnvironment,
  type JobId,
  type JobRequest,
  type JobStarter,
} from '../../ports/job-starter.ts';
import type { Log } from '../../ports/log.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import {
  type ExecutionResource,
  type JobExecution,
  listExecutions,
  missingJob,
  readExecution,
  type RunJob,
} from './cloud-run-executions.ts';
import { refusalOf } from './google-call.ts';
import { createGoogleRest, type GoogleRest, type GoogleRestConfig } from './google-rest.ts';
import { createKnownExecutions } from './known-executions.ts';
import { makeOnce } from './lost-answer.ts';

export interface CloudRunJobStarterConfig extends GoogleRestConfig {
  project: string;
  region: string;
  /** Name of the Cloud Run job of each tier; one may serve both. */
  jobs: Record<JobRequest['tier'], string>;
  /** More executions than this at once, over all of these jobs, is no capacity. */
  maxJobs: number;
  clock: Clock;
  log: Log;
  /** Has somebody else start the job. @default it is started here */
  launch?: (job: JobRequest) => Promise<void>;
  /** Of one call. @default 30000 */
  timeoutMs?: number;
  /** How old the count of running executions may be. @default 5000 */
  cacheMs?: number;
}

type Started = Awaited<ReturnType<JobStarter['start']>>;

interface Starter extends Pick<CloudRunJobStarterConfig, 'clock' | 'log'> {
  rest: GoogleRest;
  timeoutMs: number;
}

const TIMEOUT_MS = 30_000;
const CACHE_MS = 5_000;
/** By how much Google's clock may be behind ours. */
const CLOCK_SKEW_MS = 60_000;
/** In what Google says of the end of a container; it documents no code for it. */
const OUT_OF_MEMORY = /memory limit|out of memory/i;
const VARIABLES = { standard: 'PENSTOCK_JOB', high: 'PENSTOCK_JOB_HIGH' };

/**
 * Jobs as executions of Cloud Run jobs that Terraform made: a start hands over the ticket and the attempt, and nothing else. Where a
 * workflow launches them, this says whether there is room, cancels, and tells what became of them.
 */
export function createCloudRunJobStarter(config: CloudRunJobStarterConfig): JobStarter {
  const { clock, log, maxJobs, launch, timeoutMs = TIMEOUT_MS, cacheMs = CACHE_MS } = config;
  const starter: Starter = { rest: createGoogleRest(config), clock, log, timeoutMs };
  const jobs = runJobs(config);
  const known = createKnownExecutions({ ...starter, jobs: distinct(Object.values(jobs)), cacheMs });
  const starting = new Map<string, Promise<Started>>();
  let underway = 0;

  async function begin(job: JobRequest): Promise<Started> {
    const executions = await known.recent();
    if (executions.some((one) => isStartOf(one, job))) return 'started';
    const live = executions.filter(({ isEnded }) => !isEnded).length;
    if (live + underway >= maxJobs) return 'no_capacity';
    underway += 1;
    try {
      await launch?.(job);
      known.add(launch ? awaited(job, clock.now()) : await runOnce(starter, jobs[job.tier], job));
      return 'started';
    } finally {
      underway -= 1;
    }
  }

  const beginOrWait = (job: JobRequest): Promise<Started> =>
    begin(job)
      .catch((error: unknown) => {
        if (error instanceof PenstockError && error.code === 'rate_limited') return 'no_capacity' as const;
        throw error;
      })
      .finally(() => starting.delete(attemptPath(job)));

  return {
    start: (job) => {
      const path = attemptPath(job);
      const result = starting.get(path) ?? beginOrWait(job);
      starting.set(path, result);
      return result;
    },
    cancel: async (job) => {
      const isMine = (one: JobExecution) => isOf(one, job) && !one.isEnded && one.isAwaited === undefined;
      const recent = (await known.recent()).filter(isMine);
      const mine = recent.length > 0 ? recent : (await known.fresh()).filter(isMine);
      await Promise.all(mine.map(({ name }) => cancelExecution(starter, name)));
    },
    state: async (job) => {
      const mine = (await known.fresh()).filter((one) => isOf(one, job) && one.isAwaited === undefined);
      const [last] = mine;
      if (last === undefined) return { state: 'unknown' };
      if (mine.some(({ isEnded }) => !isEnded)) return { state: 'running' };
      const message = last.end ?? 'no reason is given';
      return { state: 'ended', message, isOutOfMemory: OUT_OF_MEMORY.test(message) };
    },
  };
}

function runJobs({ project, region, jobs }: CloudRunJobStarterConfig): Record<JobRequest['tier'], RunJob> {
  const jobOf = (tier: JobRequest['tier']): RunJob => ({
    name: `projects/${project}/locations/${region}/jobs/${jobs[tier]}`,
    variable: VARIABLES[tier],
  });
  return { standard: jobOf('standard'), high: jobOf('high') };
}

function distinct(jobs: RunJob[]): RunJob[] {
  return jobs.filter(({ name }, at) => jobs.findIndex((one) => one.name === name) === at);
}

/** It counts as running at once: whoever starts it needs a moment. */
function awaited(job: JobRequest, createdAt: number): JobExecution {
  const name = `launched/${attemptPath(job)}`;
  return { name, createdAt, isEnded: false, environment: jobEnvironment(job), isAwaited: true };
}

/** A lost answer is ambiguous: the execution is looked for by its variables, and run again only when none appears. */
function runOnce(starter: Starter, runJob: RunJob, job: JobRequest): Promise<JobExecution> {
  const { clock, log } = starter;
  const since = clock.now() - CLOCK_SKEW_MS;
  const { tenant, run, task, generation } = job;
  return makeOnce({
    clock,
    make: () => runExecution(starter, runJob, job),
    find: async () => (await listExecutions(starter, runJob, since)).find((one) => isStartOf(one, job)),
    onRepeat: () =>
      log.warn(
        `no answer to the start of job ${attemptPath(job)}, and no execution of it: it is started again`,
        {
          tenant,
          run,
          task,
          generation,
        },
      ),
  });
}

async function runExecution(
  { rest, clock, timeoutMs }: Starter,
  { name, variable }: RunJob,
  job: JobRequest,
): Promise<JobExecution> {
  const call = {
    what: `start of ${attemptPath(job)} as an execution of ${name}`,
    role: 'roles/run.developer on that job (or a custom role with run.jobs.run and run.jobs.runWithOverrides)',
    ifMissing: missingJob(variable),
    timeoutMs,
  };
  const environment = jobEnvironment(job);
  const env = Object.entries(environment).map(([variableName, value]) => ({ name: variableName, value }));
  const { metadata } = await rest<{ metadata: ExecutionResource }>(call, {
    method: 'POST',
    path: `/v2/${name}:run`,
    body: { overrides: { containerOverrides: [{ env }] } },
    secret: job.ticket,
  });
  return { ...readExecution(metadata, clock.now()), createdAt: clock.now(), environment };
}

/** One that has ended, or is gone, is what was asked for. */
async function cancelExecution({ rest, timeoutMs }: Starter, name: string): Promise<void> {
  const call = {
    what: `cancel of ${name}`,
    role: 'roles/run.developer on that job (or a custom role with run.executions.cancel)',
    timeoutMs,
  };
  try {
    await rest(call, { method: 'POST', path: `/v2/${name}:cancel`, body: {} });
  } catch (error) {
    const isOver = error instanceof PenstockError && ['config', 'invalid', 'conflict'].includes(error.code);
    if (!isOver || refusalOf(error) !== undefined) throw error;
  }
}

function isOf({ environment }: JobExecution, job: JobId): boolean {
  return environment['PENSTOCK_ATTEMPT'] === attemptPath(job);
}

/** With another ticket it is an earlier start of this attempt, which was given back: it can claim nothing any more. */
function isStartOf(execution: JobExecution, job: JobRequest): boolean {
  const ticket = execution.environment['PENSTOCK_TICKET'];
  return isOf(execution, job) && (ticket === undefined || ticket === job.ticket);
}
