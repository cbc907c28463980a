export interface JobRequest {
  tenant: string;
  run: string;
  task: string;
  generation: number;
  /** One-time, for `POST /internal/attempts/claim`. Handed over by environment only, never written to a record or a log. */
  ticket: string;
  tier: 'standard' | 'high';
}

/**
 * Starts the program of the job lane. `started` may be a lie or a repeat (a second container loses the claim);
 * `no_capacity` is not a failed attempt.
 */
export interface JobStarter {
  start(job: JobRequest): Promise<'started' | 'no_capacity'>;
  /** Asks the job to wrap up (SIGTERM), and kills it a little later. Unknown or ended jobs are fine. */
  cancel(job: Pick<JobRequest, 'tenant' | 'run' | 'task' | 'generation'>): Promise<void>;
}
