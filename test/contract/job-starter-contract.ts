import { afterEach, describe, expect, it } from '@jest/globals';
import type { JobRequest, JobStarter } from '../../shared/ports/job-starter.ts';

/** How a job behaves. `obedient` ends at SIGTERM, `stubborn` does not, `brief` ends by itself at once. */
export type JobManner = 'obedient' | 'stubborn' | 'brief';

export interface JobStarterUnderTest {
  starter: JobStarter;
  /** Every job that really began, by its `PENSTOCK_ATTEMPT`, in order. */
  began: () => Promise<string[]>;
  /** How many of them are running right now. */
  running: () => Promise<number>;
  close: () => Promise<void>;
}

const WAIT_MS = 10_000;

export function aJob(more: Partial<JobRequest> = {}): JobRequest {
  const { tenant = 'local', run = 'r1234567', task = 'build', generation = 1 } = more;
  const ticket = `${tenant}.${run}.${task}.${generation}.a-ticket-that-nobody-else-may-see`;
  return { tenant, run, task, generation, ticket, tier: 'standard', ...more };
}

/** Waits for what processes bring about; throws with what it saw last. */
export async function until<T>(
  read: () => Promise<T> | T,
  isGood: (value: T) => boolean,
  timeoutMs = WAIT_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (isGood(value)) return value;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(value)} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What every starter of jobs does. */
export function jobStarterContract(
  name: string,
  make: (options: { maxJobs: number; manner: JobManner }) => Promise<JobStarterUnderTest>,
): void {
  describe(`${name} as a starter of jobs`, () => {
    let world: JobStarterUnderTest;
    const open = async (manner: JobManner, maxJobs = 4): Promise<JobStarter> => {
      world = await make({ manner, maxJobs });
      return world.starter;
    };
    const running = (count: number) => until(world.running, (now) => now === count);
    const began = (count: number) => until(world.began, (all) => all.length === count);
    afterEach(() => world.close());

    it('starts a job', async () => {
      const starter = await open('obedient');
      expect(await starter.start(aJob())).toBe('started');
      expect(await began(1)).toEqual(['local/r1234567/build/1']);
    });

    it('starts the same job once, however often it is asked to', async () => {
      const starter = await open('obedient');
      const answers = await Promise.all(Array.from({ length: 5 }, () => starter.start(aJob())));
      expect(answers).toEqual(Array.from({ length: 5 }, () => 'started'));
      await began(1);
      expect(await starter.start(aJob())).toBe('started');
      await starter.start(aJob({ task: 'last' }));
      expect(await began(2)).toEqual(['local/r1234567/build/1', 'local/r1234567/last/1']);
    });

    it('tells apart tenants, runs, tasks and generations', async () => {
      const starter = await open('obedient', 5);
      const jobs = [{}, { tenant: 'other' }, { run: 'r7654321' }, { task: 'test' }, { generation: 2 }];
      for (const job of jobs) expect(await starter.start(aJob(job))).toBe('started');
      await running(jobs.length);
    });

    it('has no capacity for more than it may run, but for a repeat of what runs', async () => {
      const starter = await open('obedient', 2);
      await starter.start(aJob({ task: 'a' }));
      await starter.start(aJob({ task: 'b' }));
      await running(2);
      expect(await starter.start(aJob({ task: 'c' }))).toBe('no_capacity');
      expect(await starter.start(aJob({ task: 'b' }))).toBe('started');
      expect(await world.began()).toHaveLength(2);
    });

    it('has room again for each job that ended by itself', async () => {
      const starter = await open('brief', 1);
      for (const task of ['a', 'b', 'c']) {
        await until(
          () => starter.start(aJob({ task })),
          (answer) => answer === 'started',
        );
        await until(world.began, (all) => all.includes(`local/r1234567/${task}/1`));
      }
    });

    it('has room again for each job that was cancelled', async () => {
      const starter = await open('obedient', 1);
      await starter.start(aJob({ task: 'a' }));
      await running(1);
      await starter.cancel(aJob({ task: 'a' }));
      await running(0);
      await until(
        () => starter.start(aJob({ task: 'b' })),
        (answer) => answer === 'started',
      );
      await began(2);
    });

    it('cancels the one job that it is told, and no other', async () => {
      const starter = await open('obedient');
      await starter.start(aJob({ generation: 1 }));
      await starter.start(aJob({ generation: 2 }));
      await running(2);
      await starter.cancel(aJob({ generation: 1 }));
      await running(1);
      expect(await starter.start(aJob({ generation: 2 }))).toBe('started');
      expect(await world.began()).toHaveLength(2);
    });

    it('kills a job that does not wrap up', async () => {
      const starter = await open('stubborn');
      await starter.start(aJob());
      await running(1);
      await starter.cancel(aJob());
      await running(0);
    });

    it('says of a job whether it runs, and how it ended', async () => {
      const starter = await open('obedient');
      const stateOf = (job: Parameters<typeof aJob>[0]) => starter.state(aJob(job));
      expect(await stateOf({})).toEqual({ state: 'unknown' });
      await starter.start(aJob());
      await starter.start(aJob({ task: 'other' }));
      await running(2);
      expect(await stateOf({})).toEqual({ state: 'running' });
      await starter.cancel(aJob());
      await running(1);
      const ended = await until(
        () => stateOf({}),
        ({ state }) => state === 'ended',
      );
      expect(ended).toEqual({ state: 'ended', message: expect.stringMatching(/./), isOutOfMemory: false });
      expect(await stateOf({ task: 'other' })).toEqual({ state: 'running' });
      expect(await stateOf({ generation: 2 })).toEqual({ state: 'unknown' });
    });

    it('takes it that a job to cancel is unknown, over, or being cancelled', async () => {
      const starter = await open('obedient');
      await expect(starter.cancel(aJob())).resolves.toBeUndefined();
      await starter.start(aJob());
      await running(1);
      await Promise.all(Array.from({ length: 20 }, () => starter.cancel(aJob())));
      await running(0);
      await expect(starter.cancel(aJob())).resolves.toBeUndefined();
    });
  });
}
