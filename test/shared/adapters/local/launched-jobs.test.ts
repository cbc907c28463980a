import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLaunchedJobs } from '../../../../shared/adapters/local/launched-jobs.ts';
import type { ProcessJobStarter } from '../../../../shared/adapters/local/process-job-starter.ts';
import { attemptPath, type JobRequest } from '../../../../shared/ports/job-starter.ts';
import { aJob } from '../../../contract/job-starter-contract.ts';

describe('jobs that somebody else starts as processes', () => {
  let now: number;
  let running: Set<string>;
  let asked: string[];
  let launch: (job: JobRequest) => Promise<void>;
  let jobs: ProcessJobStarter;
  beforeEach(() => {
    now = 0;
    running = new Set();
    asked = [];
    launch = (job) => Promise.resolve(void asked.push(job.task));
    jobs = {
      start: (job) => Promise.resolve(running.add(attemptPath(job)).size > 2 ? 'no_capacity' : 'started'),
      cancel: () => Promise.resolve(),
      state: () => Promise.resolve({ state: 'running' }),
      processOf: (job) =>
        running.has(attemptPath(job)) ? { pid: 1, exitCode: Promise.resolve(0) } : undefined,
      room: () => 2 - running.size,
      stop: () => Promise.resolve(),
    };
  });
  const open = () => createLaunchedJobs({ jobs, launch: (job) => launch(job), clock: { now: () => now } });
  const [a, b, c] = ['a', 'b', 'c'].map((task) => aJob({ task })) as [JobRequest, JobRequest, JobRequest];

  it('hold their place until they run, and run in it then', async () => {
    const { port, starter } = open();
    expect([await port.start(a), await port.start(b), await port.start(c)]).toEqual([
      'started',
      'started',
      'no_capacity',
    ]);
    await starter.start(a);
    expect(await port.start(c)).toBe('no_capacity');
    running.delete(attemptPath(a));
    expect(await port.start(c)).toBe('started');
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it('are launched once, however often they are asked for', async () => {
    const { port, starter } = open();
    await port.start(a);
    await port.start(a);
    await starter.start(a);
    expect(await port.start(a)).toBe('started');
    expect(asked).toEqual(['a']);
  });

  it('give their place back when nobody has started them for a minute, or nobody can be asked', async () => {
    const { port } = open();
    await port.start(a);
    launch = () => Promise.reject(new Error('no runner'));
    await expect(port.start(b)).rejects.toThrow('no runner');
    launch = () => Promise.resolve();
    expect(await port.start(b)).toBe('started');
    expect(await port.start(c)).toBe('no_capacity');
    now = 60_001;
    expect(await port.start(c)).toBe('started');
  });
});
