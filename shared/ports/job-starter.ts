export interface JobRequest {
  tenant: string;
  run: string;
  task: string;
  generation: number;
  /** One-time, for `POST /internal/attempts/claim`. Handed over by environment only, never written to a record or a log. */
  ticket: string;
  tier: 'standard' | 'high';
  /** W3C trace context that the attempt goes on in. */
  traceparent?: string | undefined;
}

/** Which attempt a job is for. */
export type JobId = Pick<JobRequest, 'tenant' | 'run' | 'task' | 'generation'>;

/**
 * Starts the program of the job lane. `started` may be a lie or a repeat (a second container loses the claim);
 * `no_capacity` is not a failed attempt.
 */
export interface JobStarter {
  start(job: JobRequest): Promise<'started' | 'no_capacity'>;
  /** Asks the job to wrap up (SIGTERM), and kills it a little later. Unknown or ended jobs are fine. */
  cancel(job: JobId): Promise<void>;
  /** What has become of the job. */
  state(job: JobId): Promise<JobState>;
}

/**
 * As whoever runs it says: a hint, and no proof that its attempt is alive or over. `unknown`: there is none, or it is not remembered.
 * The message says how it ended.
 */
export type JobState =
  { state: 'running' | 'unknown' } | { state: 'ended'; message: string; isOutOfMemory: boolean };

/** The value of a job's `PENSTOCK_ATTEMPT`, by which people and starters find it again. */
export function attemptPath({ tenant, run, task, generation }: JobId): string {
  return `${tenant}/${run}/${task}/${generation}`;
}

/** All that one job is told and another is not, by environment. */
export function jobEnvironment(job: JobRequest): Record<string, string> {
  const { ticket, traceparent } = job;
  return {
    PENSTOCK_TICKET: ticket,
    PENSTOCK_ATTEMPT: attemptPath(job),
    ...(traceparent === undefined ? {} : { PENSTOCK_TRACEPARENT: traceparent }),
  };
}
