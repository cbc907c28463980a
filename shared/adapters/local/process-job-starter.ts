import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { JobRequest, JobStarter } from '../../ports/job-starter.ts';
import type { Log } from '../../ports/log.ts';

export interface ProcessJobStarterConfig {
  /** Program of the job and its arguments. */
  command: string[];
  /** Whole environment of the job, without its ticket: nothing is inherited. */
  environment: Record<string, string>;
  logFolder: string;
  /** More than this many at once is no capacity. */
  maxJobs: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  log: Log;
}

export interface ProcessJobStarter extends JobStarter {
  /** Stops all jobs of this process and waits for their end. */
  stop(): Promise<void>;
}

/** Jobs as child processes: the same program that Cloud Run runs, with the same environment. They outlive a crash of this process. */
export function createProcessJobStarter(config: ProcessJobStarterConfig): ProcessJobStarter {
  const jobs = new Map<string, ChildProcess>();
  mkdirSync(config.logFolder, { recursive: true });

  function begin(job: JobRequest): void {
    const name = nameOf(job);
    const [program = '', ...args] = config.command;
    const env = { ...config.environment, PENSTOCK_TICKET: job.ticket, PENSTOCK_ATTEMPT: `${job.run}/${job.task}/${job.generation}` };
    // Its own file and no pipe: a pipe would break with this process, and the job with its next line.
    const output = openSync(join(config.logFolder, `${name}.log`), 'a');
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', output], detached: true });
    closeSync(output);
    child.once('error', (error) => config.log.error(`job ${name} did not start: ${error.message}`, { run: job.run, task: job.task }));
    child.once('exit', (code, signal) => {
      jobs.delete(name);
      if (code !== 0) config.log.warn(`job ${name} ended with ${signal ?? `exit code ${code}`}`, { run: job.run, task: job.task });
    });
    jobs.set(name, child);
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
    });
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), config.graceMs);
    await ended;
    clearTimeout(timer);
  }

  return {
    start: (job) => {
      if (jobs.size >= config.maxJobs) return Promise.resolve('no_capacity');
      if (!jobs.has(nameOf(job))) begin(job);
      return Promise.resolve('started');
    },
    cancel: (job) => {
      const child = jobs.get(nameOf(job));
      if (child !== undefined) void end(child);
      return Promise.resolve();
    },
    stop: async () => {
      await Promise.all([...jobs.values()].map(end));
    },
  };
}

function nameOf({ run, task, generation }: Pick<JobRequest, 'run' | 'task' | 'generation'>): string {
  return `${run}.${task}.${generation}`;
}
