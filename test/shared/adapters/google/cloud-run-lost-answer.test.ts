import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aJob } from '../../../contract/job-starter-contract.ts';
import type { Failure } from '../../../support/google/google-server.ts';
import { type CloudRunWorld, startCloudRunWorld } from './cloud-run-world.ts';

const A_MINUTE_MS = 60_000;

describe('a start of a Cloud Run job whose answer is lost', () => {
  let world: CloudRunWorld;
  /** Between the call and the first look, once. */
  const beforeLooking = (act: () => unknown): void => {
    const { clock } = world;
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms) => {
      clock.sleep = sleep;
      await act();
      await sleep(ms);
    };
  };
  beforeEach(async () => {
    world = await startCloudRunWorld({ maxPageSize: 2 });
  });
  afterEach(() => world.standIn.stop());

  it.each<[string, Failure]>([
    ['a 503', { as: 503, isApplied: true }],
    ['a 500', { as: 500, isApplied: true }],
    ['a 504', { as: 504, isApplied: true }],
    ['a 409 of what passes by itself', { as: 409, isApplied: true }],
    ['a broken connection', { as: 'reset', isApplied: true }],
    ['no answer in time', { as: { lateMs: 5_000 } }],
  ])('is found in spite of %s', async (_name, failure) => {
    world.standIn.failNext('jobs.run', failure);
    expect(await world.starter({ timeoutMs: 250 }).start(aJob())).toBe('started');
    expect(world.calls('jobs.run')).toHaveLength(1);
    expect(world.standIn.executions()).toHaveLength(1);
  });

  it('is found when it has ended before anybody looks', async () => {
    world.standIn.failNext('jobs.run', { as: 503, isApplied: true });
    beforeLooking(() => world.standIn.end(world.running()[0]?.name ?? '', 'succeeded'));
    expect(await world.starter().start(aJob())).toBe('started');
    expect(world.calls('jobs.run')).toHaveLength(1);
  });

  it('is found when it appears late, behind pages of later ones', async () => {
    world.standIn.failNext('jobs.run', { as: 503, isApplied: true });
    world.standIn.lagLists(5);
    beforeLooking(async () => {
      world.standIn.lagLists(0);
      for (const task of ['a', 'b', 'c', 'd']) await world.starter({ maxJobs: 9 }).start(aJob({ task }));
    });
    expect(await world.starter().start(aJob())).toBe('started');
    expect(world.calls('jobs.run')).toHaveLength(5);
  });

  it.each<Failure['as']>([503, 500, 'reset'])(
    'is made again after %s, when a minute has shown nothing and not before',
    async (as) => {
      const begin = world.clock.now();
      world.standIn.failNext('jobs.run', { as });
      expect(await world.starter().start(aJob())).toBe('started');
      expect(world.clock.now() - begin).toBe(A_MINUTE_MS);
      expect(world.calls('jobs.run')).toHaveLength(2);
      expect(world.standIn.executions()).toHaveLength(1);
      expect(world.lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({
          severity: 'WARNING',
          tenant: 'local',
          run: 'r1234567',
          task: 'build',
          generation: 1,
          message: expect.stringMatching(/no answer .*local\/r1234567\/build\/1.*started again/),
        }),
      ]);
    },
  );

  it('is not made again while nobody can tell whether it runs', async () => {
    world.standIn.failNext('jobs.run', { as: 503 });
    beforeLooking(() => world.standIn.failNext('executions.list', { as: 503, times: 100 }));
    await expect(world.starter().start(aJob())).rejects.toMatchObject({
      code: 'unavailable',
      retry: 'later',
    });
    expect(world.calls('jobs.run')).toHaveLength(1);
  });

  it('fails when the second answer is lost too', async () => {
    world.standIn.failNext('jobs.run', { as: 503, times: 2 });
    await expect(world.starter().start(aJob())).rejects.toMatchObject({
      code: 'unavailable',
      retry: 'later',
    });
    expect(world.calls('jobs.run')).toHaveLength(2);
  });

  it('is no capacity when the repeat finds none', async () => {
    world.standIn.failNext('jobs.run', { as: 503 });
    world.standIn.failNext('jobs.run', { as: 429 });
    expect(await world.starter().start(aJob())).toBe('no_capacity');
    expect(world.standIn.executions()).toHaveLength(0);
  });

  it('is not mistaken for an earlier start of the attempt, given back since', async () => {
    await world.starter().start(aJob({ ticket: 'an-earlier-ticket-that-is-worth-nothing' }));
    world.standIn.failNext('jobs.run', { as: 503 });
    expect(await world.starter().start(aJob())).toBe('started');
    expect(world.standIn.executions()).toHaveLength(2);
  });
});
