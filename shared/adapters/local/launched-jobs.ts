import type { Clock } from '../../ports/clock.ts';
import { attemptPath, type JobRequest, type JobStarter } from '../../ports/job-starter.ts';
import type { ProcessJobStarter } from './process-job-starter.ts';

export interface LaunchedJobsConfig {
  jobs: ProcessJobStarter;
  /** Has somebody else start the job. */
  launch: (job: JobRequest) => Promise<void>;
  clock: Pick<Clock, 'now'>;
}

/** Whoever launches a job and has not started it by then never will, or finds out itself whether there is room. */
const HELD_MS = 60_000;

/**
 * Jobs as processes that somebody else starts: `port` is asked for them, and holds a place for each until whoever was asked starts
 * it by `starter`.
 */
export function createLaunchedJobs({ jobs, launch, clock }: LaunchedJobsConfig): {
  port: JobStarter;
  starter: ProcessJobStarter;
} {
  const launchedAt = new Map<string, number>();

  function hasRoom(): boolean {
    const since = clock.now() - HELD_MS;
    for (const [path, at] of launchedAt) if (at < since) launchedAt.delete(path);
    return jobs.room() > launchedAt.size;
  }

  return {
    port: {
      start: async (job) => {
        const path = attemptPath(job);
        if (launchedAt.has(path) || jobs.processOf(job) !== undefined) return 'started';
        if (!hasRoom()) return 'no_capacity';
        launchedAt.set(path, clock.now());
        try {
          await launch(job);
        } catch (error) {
          launchedAt.delete(path);
          throw error;
        }
        return 'started';
      },
      cancel: (job) => jobs.cancel(job),
      state: (job) => jobs.state(job),
    },
    starter: {
      ...jobs,
      start: (job) => {
        launchedAt.delete(attemptPath(job));
        return jobs.start(job);
      },
    },
  };
}
