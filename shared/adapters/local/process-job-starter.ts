import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  attemptPath,
  jobEnvironment,
  type JobId,
  type JobRequest,
  type JobStarter,
  type JobState,
} from '../../ports/job-starter.ts';
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
  /** The process of a job that runs: its id, and with what it exits; `null` where a signal ended it. */
  processOf(job: JobId): { pid: number | undefined; exitCode: Promise<number | null> } | undefined;
  /** How many more may run now. */
  room(): number;
  /** Stops all jobs of this process and waits for their end. */
  stop(): Promise<void>;
}

interface RunningJob {
  child: ChildProcess;
  /** Resolves once the process is gone, or when it never came to be. */
  ended: Promise<number | null>;
  /** Set by the first request to end it; a repeated one waits for the same end. */
  ending?: Promise<void>;
}

/** Jobs whose end is remembered. */
const MAX_ENDS = 100;

/** Jobs as child processes: the same program that Cloud Run runs, with the same environment. They outlive a crash of this process. */
export function createProcessJobStarter(config: ProcessJobStarterConfig): ProcessJobStarter {
  const jobs = new Map<string, RunningJob>();
  const ends = new Map<string, string>();
  mkdirSync(config.logFolder, { recursive: true });

  function begin(job: JobRequest): void {
    const name = attemptPath(job);
    const { tenant, run, task, generation } = job;
    const child = spawnJob(config, job);
    const ended = new Promise<number | null>((resolve) => {
      // Without a process there is no exit; with one, an error is a signal that could not be sent.
      child.once('spawn', () =>
        child.on('error', (error) => config.log.warn(`job ${name}: ${error.message}`)),
      );
      child.once('error', (error) => {
        if (child.pid !== undefined) return;
        remember(name, `it did not start: ${error.message}`);
        config.log.error(`job ${name} did not start: ${error.message}`, { tenant, run, task, generation });
        resolve(null);
      });
      child.once('exit', (code, signal) => {
        const how = signal ?? `exit code ${code}`;
        remember(name, how);
        if (code !== 0) config.log.warn(`job ${name} ended with ${how}`, { tenant, run, task, generation });
        resolve(code);
      });
    });
    jobs.set(name, { child, ended: ended.finally(() => void jobs.delete(name)) });
  }

  function remember(name: string, how: string): void {
    ends.set(name, how);
    const [oldest] = ends.keys();
    if (ends.size > MAX_ENDS && oldest !== undefined) ends.delete(oldest);
  }

  async function end({ child, ended }: RunningJob): Promise<void> {
    child.kill('SIGTERM');
    const timer = setTimeout(() => killGroup(child), config.graceMs);
    await ended;
    clearTimeout(timer);
  }

  function stateOf(name: string): JobState {
    if (jobs.has(name)) return { state: 'running' };
    const message = ends.get(name);
    // Who killed it is not known, nor why.
    return message === undefined ? { state: 'unknown' } : { state: 'ended', message, isOutOfMemory: false };
  }

  const endOnce = (job: RunningJob): Promise<void> => (job.ending ??= end(job));

  return {
    start: (job) => {
      // A repeat of what runs already needs no room of its own.
      if (jobs.has(attemptPath(job))) return Promise.resolve('started');
      if (jobs.size >= config.maxJobs) return Promise.resolve('no_capacity');
      begin(job);
      return Promise.resolve('started');
    },
    cancel: (job) => {
      const running = jobs.get(attemptPath(job));
      if (running !== undefined) void endOnce(running);
      return Promise.resolve();
    },
    state: (job) => Promise.resolve(stateOf(attemptPath(job))),
    processOf: (job) => {
      const running = jobs.get(attemptPath(job));
      return running === undefined ? undefined : { pid: running.child.pid, exitCode: running.ended };
    },
    room: () => config.maxJobs - jobs.size,
    stop: async () => {
      await Promise.all([...jobs.values()].map(endOnce));
    },
  };
}

function spawnJob(
  { command, environment, logFolder }: ProcessJobStarterConfig,
  job: JobRequest,
): ChildProcess {
  const { run, task, generation } = job;
  const [program = '', ...args] = command;
  const env = { ...environment, ...jobEnvironment(job) };
  // Its own file and no pipe: a pipe would break with this process, and the job with its next line.
  const output = openSync(join(logFolder, `${run}.${task}.${generation}.log`), 'a');
  try {
    return spawn(program, args, { env, stdio: ['ignore', 'ignore', output], detached: true });
  } finally {
    closeSync(output);
  }
}

/** A job leads a group of its own; what it started and left there goes with it. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
}
