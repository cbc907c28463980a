import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import type { JobRequest, JobStarter } from '../../../../shared/ports/job-starter.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';
import { aJob, jobStarterContract } from '../../../contract/job-starter-contract.ts';
import type { Failure } from '../../../support/google/google-server.ts';
import { type RunStandInOptions, startRunStandIn } from '../../../support/google/run-stand-in.ts';
import { realClock } from '../../../support/real-clock.ts';
import { writeJobProgram } from '../local/job-program.ts';
import { type CloudRunWorld, JOB_NAMES, starterAt, startCloudRunWorld } from './cloud-run-world.ts';

const GRACE_MS = 400;

jobStarterContract('Cloud Run', async ({ manner, maxJobs }) => {
  const program = await writeJobProgram();
  const standIn = await startRunStandIn({
    jobs: Object.values(JOB_NAMES),
    command: program.command(manner),
    environment: program.environment,
    graceMs: GRACE_MS,
  });
  return {
    starter: starterAt(standIn.url, { clock: realClock, maxJobs, cacheMs: 50 }),
    began: async () => (await program.reports()).map(({ env }) => env['PENSTOCK_ATTEMPT'] ?? ''),
    running: async () => (await program.alive()).length,
    close: async () => {
      await standIn.stop();
      await program.remove();
    },
  };
});

describe('the starter of Cloud Run jobs', () => {
  let world: CloudRunWorld;
  const open = async (
    options: Partial<RunStandInOptions> = {},
    more: Parameters<CloudRunWorld['starter']>[0] = {},
  ): Promise<JobStarter> => {
    world = await startCloudRunWorld(options);
    return world.starter(more);
  };
  afterEach(() => world.standIn.stop());

  it('hands over ticket and attempt, and nothing else', async () => {
    const starter = await open();
    const job = aJob();
    await starter.start(job);
    const env = [
      { name: 'PENSTOCK_TICKET', value: job.ticket },
      { name: 'PENSTOCK_ATTEMPT', value: 'local/r1234567/build/1' },
    ];
    expect(world.calls('jobs.run').map(({ body }) => body)).toEqual([
      { overrides: { containerOverrides: [{ env }] } },
    ]);
    expect(world.environments()).toEqual([env]);
  });

  it('runs the job of the tier', async () => {
    const starter = await open();
    await starter.start(aJob({ task: 'a', tier: 'high' }));
    await starter.start(aJob({ task: 'b' }));
    expect(world.standIn.executions().map(({ job }) => job)).toEqual(['agent-job', 'agent-job-high']);
  });

  it('starts an attempt that another process has started no second time', async () => {
    const starter = await open();
    await world.starter().start(aJob());
    expect(await starter.start(aJob())).toBe('started');
    expect(world.calls('jobs.run')).toHaveLength(1);
  });

  describe('has no capacity', () => {
    it('when Google says 429, and asks once', async () => {
      const starter = await open();
      world.standIn.failNext('jobs.run', { as: 429, message: 'Quota exceeded for running executions.' });
      expect(await starter.start(aJob())).toBe('no_capacity');
      expect(world.calls('jobs.run')).toHaveLength(1);
      expect(await starter.start(aJob())).toBe('started');
    });

    it('for more than it may run, whoever started them, of either tier, on whatever page', async () => {
      const starter = await open({ maxPageSize: 2 }, { maxJobs: 5 });
      for (const task of ['a', 'b', 'c']) await world.starter({ maxJobs: 9 }).start(aJob({ task }));
      for (const task of ['d', 'e']) await world.starter({ maxJobs: 9 }).start(aJob({ task, tier: 'high' }));
      expect(await starter.start(aJob({ task: 'f' }))).toBe('no_capacity');
      world.standIn.end(world.running().find(({ job }) => job === 'agent-job-high')?.name ?? '', 'failed');
      world.clock.advance(6_000);
      expect(await starter.start(aJob({ task: 'f' }))).toBe('started');
      expect(world.running()).toHaveLength(5);
    });

    it('for more than it may run when all are asked for at once', async () => {
      const starter = await open({}, { maxJobs: 3 });
      const answers = await Promise.all(
        ['a', 'b', 'c', 'd', 'e'].map((task) => starter.start(aJob({ task }))),
      );
      expect(answers.filter((answer) => answer === 'started')).toHaveLength(3);
      expect(world.running()).toHaveLength(3);
    });

    it('also when what it has just started is not listed yet', async () => {
      const starter = await open({}, { maxJobs: 1 });
      world.standIn.lagLists(100);
      await starter.start(aJob({ task: 'a' }));
      world.clock.advance(6_000);
      expect(await starter.start(aJob({ task: 'b' }))).toBe('no_capacity');
    });

    it('for a minute only, when Google never shows what it has started', async () => {
      const starter = await open({}, { maxJobs: 1 });
      world.standIn.lagLists(100);
      await starter.start(aJob({ task: 'a' }));
      world.clock.advance(61_000);
      expect(await starter.start(aJob({ task: 'b' }))).toBe('started');
    });

    it('looking once for all that is started in a few seconds', async () => {
      const starter = await open({}, { maxJobs: 100 });
      for (let n = 0; n < 10; n += 1) await starter.start(aJob({ task: `t${n}` }));
      expect(world.calls('executions.list')).toHaveLength(2);
      world.clock.advance(6_000);
      await starter.start(aJob({ task: 'late' }));
      expect(world.calls('executions.list')).toHaveLength(4);
    });
  });

  describe('where somebody else launches the jobs', () => {
    const launched: string[] = [];
    const launch = (job: JobRequest): Promise<void> => Promise.resolve(void launched.push(job.task));
    beforeEach(() => void launched.splice(0));

    it('has room for no more than may run, and counts what is launched before it is listed, once', async () => {
      const starter = await open({}, { maxJobs: 2, launch });
      expect(await starter.start(aJob({ task: 'a' }))).toBe('started');
      expect(world.calls('jobs.run')).toHaveLength(0);
      await world
        .starter({ maxJobs: 9 })
        .start(aJob({ task: 'a', ticket: 'another-ticket-of-its-workflow' }));
      world.clock.advance(6_000);
      expect(await starter.start(aJob({ task: 'b' }))).toBe('started');
      expect(await starter.start(aJob({ task: 'c' }))).toBe('no_capacity');
      expect(launched).toEqual(['a', 'b']);
    });

    it('cancels what came of it, and minds nothing where nothing has come yet', async () => {
      const starter = await open({}, { launch });
      await starter.start(aJob());
      await expect(starter.cancel(aJob())).resolves.toBeUndefined();
      await world.starter().start(aJob());
      await starter.cancel(aJob());
      expect(world.standIn.executions()).toMatchObject([{ cancelledCount: 1 }]);
      expect(world.calls('executions.cancel')).toHaveLength(1);
    });

    it('says that nobody knows, where whoever launches them does not', async () => {
      const lost = new PenstockError('unavailable', 'no answer', { retry: 'later' });
      const starter = await open({}, { maxJobs: 1, launch: () => Promise.reject(lost) });
      await expect(starter.start(aJob())).rejects.toBe(lost);
    });
  });

  describe('cancels', () => {
    it('what another process has started, of either tier', async () => {
      const starter = await open();
      await world.starter().start(aJob({ task: 'a' }));
      await world.starter().start(aJob({ task: 'b', tier: 'high' }));
      await starter.cancel(aJob({ task: 'b' }));
      await starter.cancel(aJob({ task: 'a' }));
      expect(world.standIn.executions().map(({ cancelledCount }) => cancelledCount)).toEqual([1, 1]);
      expect(world.calls('executions.cancel').map(({ body }) => body)).toEqual([{}, {}]);
    });

    it('what another process has started since it looked last', async () => {
      const starter = await open();
      await starter.start(aJob({ task: 'a' }));
      await world.starter().start(aJob({ task: 'b' }));
      await starter.cancel(aJob({ task: 'b' }));
      expect(world.running().map(({ cancelledCount }) => cancelledCount)).toEqual([undefined]);
      expect(world.calls('executions.cancel')).toHaveLength(1);
    });

    it('what it has started and does not see in the list yet', async () => {
      const starter = await open();
      world.standIn.lagLists(100);
      await starter.start(aJob());
      await starter.cancel(aJob());
      expect(world.standIn.executions()).toMatchObject([{ cancelledCount: 1 }]);
    });

    it('every execution of an attempt that was started twice', async () => {
      const starter = await open();
      world.standIn.lagLists(2);
      await world.starter().start(aJob());
      await world.starter().start(aJob());
      expect(world.running()).toHaveLength(2);
      world.clock.advance(6_000);
      await world.starter().cancel(aJob({ task: 'another' }));
      await starter.cancel(aJob());
      expect(world.running()).toHaveLength(0);
    });

    it('nothing that has ended since it was listed, and does not mind', async () => {
      const starter = await open();
      await starter.start(aJob());
      world.standIn.end(world.running()[0]?.name ?? '', 'succeeded');
      await expect(starter.cancel(aJob())).resolves.toBeUndefined();
      expect(world.standIn.executions()).toMatchObject([{ succeededCount: 1 }]);
    });

    it('nothing that is known to have ended: it does not ask', async () => {
      const starter = await open();
      await starter.start(aJob());
      world.standIn.end(world.running()[0]?.name ?? '', 'succeeded');
      world.clock.advance(6_000);
      await starter.cancel(aJob());
      expect(world.calls('executions.cancel')).toHaveLength(0);
    });

    it('later, when Google does not answer', async () => {
      const starter = await open();
      await starter.start(aJob());
      world.standIn.failNext('executions.cancel', { as: 503 });
      await expect(starter.cancel(aJob())).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
      await starter.cancel(aJob());
      expect(world.running()).toHaveLength(0);
    });
  });

  describe('says what became of', () => {
    it('a job that ran out of memory', async () => {
      const starter = await open();
      await starter.start(aJob());
      world.standIn.end(world.running()[0]?.name ?? '', 'out_of_memory');
      expect(await starter.state(aJob())).toEqual({
        state: 'ended',
        message: expect.stringContaining('Memory limit of 4096 MiB'),
        isOutOfMemory: true,
      });
    });

    it('an attempt that was started twice: it runs while one of them does', async () => {
      await (await open()).start(aJob());
      await world.starter().start({ ...aJob(), ticket: 'another-ticket-of-the-same-attempt' });
      const [first, second] = world.running();
      world.standIn.end(first?.name ?? '', 'failed');
      expect(await world.starter().state(aJob())).toEqual({ state: 'running' });
      world.standIn.end(second?.name ?? '', 'failed');
      expect(await world.starter().state(aJob())).toMatchObject({ state: 'ended', isOutOfMemory: false });
    });

    it('a job that it has started and does not see in the list yet, and nothing of one that nobody knows', async () => {
      const starter = await open();
      world.standIn.lagLists(1);
      await starter.start(aJob());
      expect(await starter.state(aJob())).toEqual({ state: 'running' });
      expect(await world.starter().state(aJob({ generation: 2 }))).toEqual({ state: 'unknown' });
    });
  });

  describe('says in one sentence', () => {
    it.each<[JobRequest['tier'], string]>([
      ['standard', 'PENSTOCK_JOB '],
      ['high', 'PENSTOCK_JOB_HIGH '],
    ])('which variable names a %s job that is not there', async (tier, variable) => {
      const starter = await open({ jobs: [JOB_NAMES[tier === 'standard' ? 'high' : 'standard']] });
      const start = starter.start(aJob({ tier }));
      await expect(start).rejects.toMatchObject({ code: 'config', retry: 'never' });
      await expect(start).rejects.toThrow(`set ${variable}`);
      await expect(start).rejects.toThrow(JOB_NAMES[tier]);
    });

    it.each([
      ['run.jobs.runWithOverrides', (starter: JobStarter) => starter.start(aJob())],
      ['run.jobs.run', (starter: JobStarter) => starter.start(aJob())],
      ['run.executions.list', (starter: JobStarter) => starter.start(aJob())],
    ])('that the permission %s is lacking, and which role has it', async (permission, act) => {
      const starter = await open();
      world.standIn.deny(permission);
      const refused = act(starter);
      await expect(refused).rejects.toMatchObject({ code: 'config', retry: 'never' });
      await expect(refused).rejects.toThrow(
        new RegExp(`grant roles/run.developer .*custom role with .*${permission}`),
      );
      expect(world.standIn.executions()).toHaveLength(0);
    });

    it('that it may not cancel', async () => {
      const starter = await open();
      await starter.start(aJob());
      world.standIn.deny('run.executions.cancel');
      await expect(starter.cancel(aJob())).rejects.toThrow(
        /grant roles\/run.developer .*run.executions.cancel/,
      );
    });

    it('that nobody answers at its URL, and starts nothing blindly', async () => {
      const starter = await open();
      await world.standIn.stop();
      await expect(starter.start(aJob())).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
      await expect(starter.start(aJob())).rejects.toThrow(/list of the executions of .*ECONNREFUSED/);
    });
  });

  it('lists again at once when a list fails, for it has no effect', async () => {
    const starter = await open();
    world.standIn.failNext('executions.list', { as: 'reset', times: 2 });
    expect(await starter.start(aJob())).toBe('started');
    expect(world.standIn.executions()).toHaveLength(1);
  });

  it('tells the ticket to nobody, not even in the error that quotes the request', async () => {
    const job = aJob();
    const starter = await open();
    const message = `Invalid value at 'overrides.container_overrides[0].env[0]': "${job.ticket}"`;
    const failures: Failure[] = [
      { as: 400, message },
      { as: 403, message },
      { as: 503, message, times: 2 },
      { as: 429, message },
      { as: 503 },
    ];
    const told: string[] = [];
    for (const failure of failures) {
      world.standIn.failNext('jobs.run', failure);
      told.push(await starter.start(job).catch((error: unknown) => inspect(error, { depth: 9 })));
    }
    expect(told).toHaveLength(5);
    expect(told[0]).toContain('(secret)');
    expect(world.lines).toHaveLength(2);
    expect(`${told.join()}${world.lines.join()}`).not.toContain('that-nobody-else-may-see');
  });
});
