import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { change } from '../../../shared/core/change.ts';
import { claimTask } from '../../../shared/core/claim-task.ts';
import { decomposeRun } from '../../../shared/core/decompose-run.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { storedBytes } from '../../../shared/core/intake/sanitise-text.ts';
import { refs } from '../../../shared/core/refs.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { MAX_DOCUMENT_BYTES, MAX_PAGE, type Store, type Write } from '../../../shared/ports/store.ts';
import { DONE, POLICY, silent, startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { attemptOf, taskOf } from '../../support/records.ts';

const task = (id: string, dependencies: string[] = []) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: 'Nothing.',
});
const CHECK_MS = 5 * 60_000;

describe('a sweep', () => {
  let engine: Engine;
  let run: string;
  let answers: Record<string, AttemptResultInput>;
  let warned: string[];
  let failures: unknown[];
  beforeEach(async () => {
    answers = {};
    warned = [];
    failures = [];
    engine = await startEngine({
      play: (id, generation) => answers[`${id}/${generation}`] ?? DONE,
      log: {
        ...silent,
        warn: (message) => void warned.push(message),
        error: (...said) => void failures.push(said),
      },
    });
    ({ id: run } = await engine.submit({ plan: [task('a'), task('b', ['a'])] }));
  });
  afterEach(() => engine.close());

  async function deliverOne(topic: string): Promise<void> {
    const at = engine.mail.findIndex((sent) => sent.topic === topic);
    const [sent] = engine.mail.splice(at, 1);
    if (at < 0 || sent === undefined) throw new Error(`no ${topic} was sent`);
    await engine.deliver(sent);
  }
  /** The first task of each run is begun as a job. */
  async function deliverJobs(...runs: string[]): Promise<void> {
    for (const each of runs) {
      await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run: each } });
      await change<Task>(engine.ports.store, refs.task(TENANT, each, 'a'), (data) => ({
        data: { ...data, lane: 'job' as const },
      }));
    }
    await engine.drain();
  }
  async function sweepLater(): Promise<void> {
    engine.mail.length = 0;
    engine.clock.advance(CHECK_MS);
    await sweep(engine.ports);
  }

  it.each<[string, string[]]>([
    ['its acceptance', []],
    ['its first dispatch', ['run-accepted']],
    ['the end of its first task', ['run-accepted', 'task-dispatched']],
    ['its second dispatch', ['run-accepted', 'task-dispatched', 'task-finished']],
    ['the end of its last task', ['run-accepted', 'task-dispatched', 'task-finished', 'task-dispatched']],
  ])('brings a run on that lost the message of %s', async (_, delivered) => {
    for (const topic of delivered) await deliverOne(topic);
    await sweepLater();
    await engine.drain();
    expect((await engine.run(run)).stage).toBe('succeeded');
    expect([...engine.worked.entries()]).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });

  it('says of a run that it is stuck once nothing has moved in it for an hour, for as long as that is so', async () => {
    const stuck = () => warned.filter((line) => line.includes('is stuck'));
    await deliverOne('run-accepted');
    for (let minutes = 0; minutes < 60; minutes += 5) await sweepLater();
    expect(stuck()).toEqual([]);
    await sweepLater();
    expect(stuck()).toEqual([`run ${run} is stuck: nothing has changed for 1 h`]);
    await engine.drain();
    await sweepLater();
    expect(stuck()).toHaveLength(1);
  });

  it('says of no run that it is stuck while an attempt is under way, or somebody holds it', async () => {
    await deliverOne('run-accepted');
    await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
    await change<Task>(engine.ports.store, refs.task(TENANT, run, 'a'), (current) => ({
      data: { ...current, leaseUntil: Number.MAX_SAFE_INTEGER },
    }));
    for (let minutes = 0; minutes < 120; minutes += 30) {
      engine.clock.advance(30 * 60_000);
      await sweep(engine.ports);
    }
    expect(warned.filter((line) => line.includes('is stuck'))).toEqual([]);
  });

  it('does nothing where nothing is due', async () => {
    await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run } });
    await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
    engine.mail.length = 0;
    engine.clock.advance(POLICY.leaseMs);
    expect(await sweep(engine.ports)).toEqual({
      lost: 0,
      dispatched: 0,
      decisions: 0,
      runs: 0,
      deletions: 0,
    });
    expect(engine.mail).toEqual([]);
  });

  it('does nothing about runs that have ended', async () => {
    await engine.drain();
    engine.clock.advance(CHECK_MS * 10);
    expect(await sweep(engine.ports)).toEqual({
      lost: 0,
      dispatched: 0,
      decisions: 0,
      runs: 0,
      deletions: 0,
    });
  });

  it('takes back what is overdue, once, and has it tried again after its delay', async () => {
    await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run } });
    await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
    engine.mail.length = 0;
    engine.clock.advance(POLICY.leaseMs + 1);
    expect((await sweep(engine.ports)).lost).toBe(1);
    expect((await sweep(engine.ports)).lost).toBe(0);
    expect((await engine.task(run, 'a')).attempts[0]?.exit).toMatchObject({
      outcome: 'lost',
      message: 'attempt a/1 stopped renewing its lease',
    });
    engine.clock.advance(POLICY.retryBaseMs);
    await sweep(engine.ports);
    await engine.drain();
    expect((await engine.run(run)).stage).toBe('succeeded');
    expect((await engine.task(run, 'a')).attempts.map(({ exit }) => exit?.outcome)).toEqual([
      'lost',
      'succeeded',
    ]);
  });

  it('has the job of a lost attempt ended, and goes on where that cannot be asked', async () => {
    await deliverJobs(run);
    const isLost = async (generation: number): Promise<boolean> => {
      await engine.drain();
      engine.clock.advance(POLICY.startByJobMs + POLICY.retryCapMs);
      await sweep(engine.ports);
      engine.clock.advance(POLICY.retryCapMs);
      return (await engine.task(run, 'a')).attempts[generation - 1]?.exit?.outcome === 'lost';
    };
    expect(await isLost(1)).toBe(true);
    expect(engine.jobs.cancels).toEqual([{ tenant: TENANT, run, task: 'a', generation: 1 }]);
    engine.ports.jobs.cancel = () => Promise.reject(new Error('no answer'));
    await sweep(engine.ports);
    expect(await isLost(2)).toBe(true);
    expect(warned).toContain('the job of lost attempt a/2 could not be cancelled: no answer');
  });

  it.each([
    [
      'for memory, on a larger machine',
      { state: 'ended', message: 'Memory limit of 4096 MiB exceeded', isOutOfMemory: true },
      {
        code: 'out_of_memory',
        message: 'attempt a/1 was never claimed; its job ended: Memory limit of 4096 MiB exceeded',
      },
      'high',
    ],
    [
      'by itself',
      { state: 'ended', message: 'exit code 2', isOutOfMemory: false },
      { code: 'lost', message: 'attempt a/1 was never claimed; its job ended: exit code 2' },
      'standard',
    ],
    [
      'and is said to run',
      { state: 'running' },
      { code: 'lost', message: 'attempt a/1 was never claimed' },
      'standard',
    ],
    [
      'and nobody says how',
      new Error('no answer'),
      { code: 'lost', message: 'attempt a/1 was never claimed' },
      'standard',
    ],
  ] as const)(
    'tells how the job of a lost attempt ended, and goes on, where it ended %s',
    async (_, state, exit, tier) => {
      await deliverJobs(run);
      engine.jobs.state = state;
      engine.clock.advance(POLICY.startByJobMs + 1);
      await sweep(engine.ports);
      expect((await engine.task(run, 'a')).attempts[0]?.exit).toMatchObject(exit);
      engine.clock.advance(POLICY.retryCapMs);
      await sweep(engine.ports);
      await engine.drain();
      expect(engine.jobs.starts.map((start) => start.tier)).toEqual(['standard', tier]);
    },
  );

  it('asks nobody for jobs again that once did not answer, and takes back the others all the same', async () => {
    const { id: other } = await engine.submit({ plan: [task('a')] });
    await deliverJobs(run, other);
    engine.jobs.state = new Error('no answer');
    engine.clock.advance(POLICY.startByJobMs + 1);
    warned.length = 0;
    expect((await sweep(engine.ports)).lost).toBe(2);
    expect(warned.filter((line) => line.includes('no answer'))).toHaveLength(1);
    expect(engine.jobs.cancels).toEqual([]);
  });

  it('lets a retry wait for its time', async () => {
    answers['a/1'] = { outcome: 'failed', failure: { code: 'network', message: 'down' } };
    await engine.drain();
    const { notBefore } = await engine.task(run, 'a');
    expect(notBefore).toBeGreaterThan(engine.clock.now());
    expect((await sweep(engine.ports)).dispatched).toBe(0);
    engine.clock.advance(notBefore - engine.clock.now());
    expect((await sweep(engine.ports)).dispatched).toBe(1);
    await engine.drain();
    expect(engine.worked.get('a')).toBe(2);
    expect((await engine.run(run)).stage).toBe('succeeded');
  });

  it('ends a run whose task was lost for the last time', async () => {
    await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run } });
    for (let generation = 1; generation <= POLICY.maxAttempts; generation += 1) {
      await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation });
      engine.clock.advance(POLICY.leaseMs + POLICY.retryCapMs);
      await sweep(engine.ports);
      engine.clock.advance(POLICY.retryCapMs);
    }
    expect(await engine.run(run)).toMatchObject({ stage: 'failed', reason: { code: 'lost' } });
    expect((await engine.task(run, 'b')).state).toBe('skipped');
  });

  it('finishes a dry run whose process died between its plan and its end', async () => {
    const { id } = await engine.submit({ plan: [task('a')], dryRun: true });
    const { store } = engine.ports;
    let commits = 0;
    const dying = {
      ...engine.ports,
      store: {
        ...store,
        commit: (writes: Parameters<typeof store.commit>[0]) =>
          ++commits > 1 ? Promise.reject(new Error('dead')) : store.commit(writes),
      },
    };
    await expect(decomposeRun(dying, { v: 1, tenant: TENANT, run: id })).rejects.toThrow('dead');
    expect((await engine.run(id)).stage).toBe('planning');
    await sweepLater();
    await engine.drain();
    expect((await engine.run(id)).stage).toBe('succeeded');
    expect(await engine.tasks(id)).toEqual([]);
  });

  describe('that cannot mend one record', () => {
    let other: string;
    beforeEach(async () => {
      ({ id: other } = await engine.submit({ plan: [task('a')] }));
      for (const each of [run, other])
        await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run: each } });
    });
    /** Refuses every write of that task or run. */
    const refusing = (id: string): Ports => {
      const { store } = engine.ports;
      const isOf = ({ ref }: Write) => ref.collection.includes(`/${id}/`) || ref.id === id;
      const refused = new PenstockError('too_large', `document ${id} has too many bytes`);
      const commit: Store['commit'] = (writes) =>
        writes.some(isOf) ? Promise.reject(refused) : store.commit(writes);
      return { ...engine.ports, store: { ...store, commit } };
    };

    it.each([0, 1])('mends the others, whichever it is, and says so of both (%i)', async (at) => {
      const [bad, good] = at === 0 ? [run, other] : [other, run];
      for (const each of [run, other])
        await claimTask(engine.ports, { v: 1, tenant: TENANT, run: each, task: 'a', generation: 1 });
      engine.clock.advance(CHECK_MS);
      await sweep(refusing(bad));
      expect((await engine.task(good, 'a')).attempts[0]?.exit?.outcome).toBe('lost');
      expect((await engine.run(good)).checkedAt).toBe(engine.clock.now());
      expect((await engine.task(bad, 'a')).state).toBe('running');
      expect(failures).toEqual([
        [
          `task a of run ${bad} of tenant ${TENANT} could not be taken back: document ${bad} has too many bytes; cancel run ${bad} if the next sweeps say so too`,
          { tenant: TENANT, run: bad, task: 'a' },
        ],
        [
          expect.stringMatching(`run ${bad} of tenant ${TENANT} could not be looked after`),
          { tenant: TENANT, run: bad },
        ],
        [expect.stringMatching('the sweep is done but for 2 records'), { failed: 2 }],
      ]);
    });

    it('stops every cancelled run, also where the job of one cannot be cancelled', async () => {
      await deliverJobs(run, other);
      const asked: string[] = [];
      engine.ports.jobs.cancel = (job) => Promise.reject(new Error(`no answer of ${asked.push(job.run)}`));
      for (const each of [run, other]) {
        await change<Task>(engine.ports.store, refs.task(TENANT, each, 'a'), (data) => ({
          data: { ...data, state: 'running' as const },
        }));
        await expect(cancelRun(engine.ports, TENANT, each, 'dana')).rejects.toThrow('no answer');
      }
      asked.length = 0;
      engine.clock.advance(1_000);
      expect((await sweep(engine.ports)).runs).toBe(2);
      expect(asked.toSorted()).toEqual([run, other].toSorted());
    });

    it('does the other steps before it fails with the one that cannot ask for its records', async () => {
      await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
      engine.clock.advance(CHECK_MS);
      const { store } = engine.ports;
      const query: Store['query'] = (asked) =>
        'group' in asked.from && asked.from.group === 'decisions'
          ? Promise.reject(new Error('no index'))
          : store.query(asked);
      await expect(sweep({ ...engine.ports, store: { ...store, query } })).rejects.toThrow('no index');
      expect((await engine.task(run, 'a')).attempts[0]?.exit?.outcome).toBe('lost');
      expect((await engine.run(other)).checkedAt).toBe(engine.clock.now());
    });

    it('fails where the store is down', async () => {
      const query: Store['query'] = () => Promise.reject(new Error('the store is down'));
      const down = { ...engine.ports, store: { ...engine.ports.store, query } };
      await expect(sweep(down)).rejects.toThrow('the store is down');
    });
  });

  it('is not kept by the tasks of paused runs from those that are due after them', async () => {
    const due = engine.clock.now() + 1_000;
    const { store } = engine.ports;
    for (let n = 0; n < MAX_PAGE; n += 1) {
      const id = `held-${n}`;
      const ref = refs.task(TENANT, 'paused', id);
      await store.create(ref, taskOf({ run: 'paused', id, held: true, notBefore: due - 500 }));
    }
    await store.create(refs.task(TENANT, 'late', 'api'), taskOf({ run: 'late', notBefore: due }));
    engine.mail.length = 0;
    engine.clock.advance(1_000);
    expect((await sweep(engine.ports)).dispatched).toBe(1);
    expect(engine.mail.map(({ message }) => message)).toEqual([
      expect.objectContaining({ run: 'late', task: 'api' }),
    ]);
  });

  it('takes back an attempt whose task was stored when there was no limit to its size', async () => {
    const changes = { run, id: 'full', state: 'running' as const, attempts: [attemptOf()] };
    const bytes = storedBytes(taskOf(changes));
    const instructions = 'x'.repeat(MAX_DOCUMENT_BYTES - bytes - 32);
    await engine.ports.store.create(refs.task(TENANT, run, 'full'), taskOf({ ...changes, instructions }));
    await sweep(engine.ports);
    const { attempts, state, ...rest } = await engine.task(run, 'full');
    expect([state, attempts[0]?.exit?.outcome, failures]).toEqual(['pending', 'lost', []]);
    expect(rest.instructions).toMatch(/^x+\n\n\[The rest of these instructions is left out/);
  });
});
