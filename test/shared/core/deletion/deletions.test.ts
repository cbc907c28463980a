import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { change } from '../../../../shared/core/change.ts';
import { continueDeletions } from '../../../../shared/core/deletion/continue-deletions.ts';
import { deleteTaskRun } from '../../../../shared/core/deletion/delete-task-run.ts';
import { forkRun } from '../../../../shared/core/fork-run.ts';
import { submitTaskRun } from '../../../../shared/core/intake/submit-task-run.ts';
import { keepTaskLetter } from '../../../../shared/core/keep-task-letter.ts';
import type { Ports } from '../../../../shared/core/ports.ts';
import { blobKeys, blobPrefixesOf, collectionsOf, refs } from '../../../../shared/core/refs.ts';
import { retryRun } from '../../../../shared/core/retry-run.ts';
import type { Run } from '../../../../shared/core/run.ts';
import { feedRef, readFeed } from '../../../../shared/core/views/run-feed.ts';
import { taskRunBody } from '../../../../shared/messages/task-run.ts';
import { Crash, crashingPorts } from '../../../support/crashing-ports.ts';
import { type Engine, startEngine, TENANT } from '../../../support/engine.ts';

const NAME = 'auth-service-7';
const caller = { tenant: TENANT, actor: 'dana', roles: [] };
const body = (more: object = {}) =>
  taskRunBody.parse({
    taskId: 7,
    serviceName: 'auth-service',
    markdownFiles: [{ filename: 'task.md', content: 'Describe the login.' }],
    ...more,
  });

let engine: Engine;
/** How the work ends, by generation of runs. */
let outcome: 'succeeded' | 'failed';
beforeEach(async () => {
  outcome = 'succeeded';
  engine = await startEngine({
    play: () =>
      outcome === 'succeeded'
        ? { outcome, summary: 'done', output: 'a text' }
        : { outcome, failure: { code: 'invalid_input', message: 'nothing was asked for' } },
  });
});
afterEach(() => engine.close());

const submit = async (more: object = {}): Promise<Run> =>
  (await submitTaskRun(engine.ports, caller, body(more))).run;
const remove = (ports: Ports = engine.ports) => deleteTaskRun(ports, TENANT, NAME);
const find = async (id: string) => (await engine.ports.store.get(refs.run(TENANT, id)))?.data;

/** A TaskRun that has ended, with everything that a run may leave behind. */
async function endedTaskRun(): Promise<Run> {
  const run = await submit();
  await engine.drain();
  const { store, blobs } = engine.ports;
  const task = await engine.task(run.id, 'task-7');
  await blobs.put(blobKeys.transcript(TENANT, run.id, task.id, 1, 0), 'said');
  await blobs.put(blobKeys.upload(TENANT, run.id, task.id, 1, 'checkpoint', 0), 'saved');
  await readFeed(store, TENANT, run.id);
  await keepTaskLetter(engine.ports, { ...task, state: 'failed' });
  await store.create(refs.effect(TENANT, run.id, 'comment'), {
    v: 1,
    state: 'done',
    claimId: 'c',
    claimUntil: 0,
    attempts: 1,
  });
  await store.create({ collection: `tenants/${TENANT}/decisions`, id: 'd1' }, { run: run.id });
  await store.create({ collection: `tenants/${TENANT}/runs/${run.id}/messages`, id: 'm1' }, { run: run.id });
  return engine.run(run.id);
}

/** Everything that is still stored about some runs. */
async function traces(...ids: string[]): Promise<string[]> {
  const { store, blobs } = engine.ports;
  const places = ['runs', 'taskRuns', 'decisions', 'deadLetters'].map((name) => `tenants/${TENANT}/${name}`);
  const collections = [...places, ...ids.flatMap((id) => collectionsOf(TENANT, id))];
  const pages = await Promise.all(
    collections.map((collection) => store.query({ from: { collection }, limit: 100 })),
  );
  const records = pages.flatMap(({ documents }) => documents.map(({ ref }) => `${ref.collection}/${ref.id}`));
  const lists = await Promise.all(
    ids.flatMap((id) => blobPrefixesOf(TENANT, id)).map((prefix) => blobs.list(prefix, { limit: 100 })),
  );
  return [...records, ...lists.flatMap(({ keys }) => keys)];
}

describe('deleting a TaskRun', () => {
  it('removes its files, its records, its name and then itself', async () => {
    const { id } = await endedTaskRun();
    expect((await traces(id)).length).toBeGreaterThan(9);
    const marked = await remove();
    expect(marked).toMatchObject({
      deletingSince: engine.clock.now(),
      finalizers: ['penstock/attempts', 'penstock/files', 'penstock/records'],
    });
    engine.clock.advance(1_000);
    expect(await remove()).toEqual(marked);
    expect(await continueDeletions(engine.ports)).toBe(1);
    expect(await traces(id)).toEqual([]);
    await expect(remove()).rejects.toMatchObject({ code: 'not_found' });
    expect(await continueDeletions(engine.ports)).toBe(0);
  });

  it('touches nothing of another run, not even of one whose id begins the same', async () => {
    const { id } = await endedTaskRun();
    const other = await submit({ taskId: 8 });
    await engine.ports.blobs.put(blobKeys.output(TENANT, `${id}x`, 'a', 1), 'another’s');
    const before = await traces(other.id, `${id}x`);
    await remove();
    await continueDeletions(engine.ports);
    const isOf = (trace: string) => trace.split('/').includes(id) || trace.includes(`/${id}-`);
    expect(await traces(other.id, `${id}x`)).toEqual(
      before.filter((trace) => !isOf(trace) && !trace.endsWith(NAME) && !trace.endsWith('/d1')),
    );
  });

  it('stops what waits, and goes on only when what runs has ended', async () => {
    const run = await submit();
    const accepted = engine.mail.shift();
    if (accepted !== undefined) await engine.deliver(accepted);
    await change(engine.ports.store, refs.task(TENANT, run.id, 'task-7'), (task) => ({
      data: { ...task, state: 'running' as const, leaseUntil: engine.clock.now() + 60_000 },
    }));
    expect((await remove()).stage).toBe('cancelling');
    await continueDeletions(engine.ports);
    expect(await find(run.id)).toMatchObject({
      stage: 'cancelling',
      finalizers: ['penstock/attempts', 'penstock/files', 'penstock/records'],
    });
    await change(engine.ports.store, refs.task(TENANT, run.id, 'task-7'), (task) => ({
      data: { ...task, state: 'cancelled' as const, live: false, leaseUntil: 0 },
    }));
    await continueDeletions(engine.ports);
    expect(await traces(run.id)).toEqual([]);
  });

  it('waits for its check run to say that it has ended, but not for ever', async () => {
    const run = await endedTaskRun();
    await change(engine.ports.store, refs.run(TENANT, run.id), (data) => ({
      data: { ...data, unsettledOutside: true },
    }));
    await remove();
    await continueDeletions(engine.ports);
    expect(await find(run.id)).toBeDefined();
    engine.clock.advance(61 * 60_000);
    await continueDeletions(engine.ports);
    expect(await find(run.id)).toBeUndefined();
  });

  it.each(['before', 'after'] as const)('goes on from any crash: %s a change', async (when) => {
    let deaths = 0;
    for (let n = 1, isThere = true; isThere; n += 1) {
      const { id } = await endedTaskRun();
      const dying = crashingPorts(engine.ports, n, when);
      await remove(dying.ports)
        .then(() => continueDeletions(dying.ports))
        .catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
        });
      isThere = dying.reached();
      if (isThere) deaths += 1;
      // The mark may not have been made; then the person, who was not answered, asks again.
      if ((await find(id))?.deletingSince === undefined) await remove().catch(() => undefined);
      await continueDeletions(engine.ports);
      expect(await traces(id)).toEqual([]);
    }
    expect(deaths).toBeGreaterThan(12);
  });

  it('of which one cannot go on keeps no other from going on', async () => {
    const stuck = await endedTaskRun();
    await remove();
    const other = await submit({ taskId: 8 });
    await engine.drain();
    await deleteTaskRun(engine.ports, TENANT, 'auth-service-8');
    const blobs: Ports['blobs'] = {
      ...engine.ports.blobs,
      delete: (key) =>
        key.includes(stuck.id)
          ? Promise.reject(new Error('the disk is read-only'))
          : engine.ports.blobs.delete(key),
    };
    expect(await continueDeletions({ ...engine.ports, blobs })).toBe(2);
    expect(await find(other.id)).toBeUndefined();
    expect((await find(stuck.id))?.finalizers).toEqual(['penstock/files', 'penstock/records']);
  });

  it('makes room for another run of the same name', async () => {
    const first = await endedTaskRun();
    await remove();
    expect((await submit()).id).toBe(first.id);
    await continueDeletions(engine.ports);
    const second = await submit();
    expect(second.id).not.toBe(first.id);
    expect((await submit()).id).toBe(second.id);
  });
});

describe('deleting a TaskRun that was retried', () => {
  it('deletes every run that its name ever stood for, whichever failed', async () => {
    outcome = 'failed';
    const first = await submit();
    await engine.drain();
    const second = (await retryRun(engine.ports, { tenant: TENANT, run: first.id, actor: 'dana' })).run;
    await engine.drain();
    engine.clock.advance(5);
    const third = await submit({ retryAttempt: 5 });
    await engine.drain();
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    await remove();
    for (const _ of [1, 2]) await continueDeletions(engine.ports);
    expect(await traces(first.id, second.id, third.id)).toEqual([]);
  });

  it('keeps its name until the earliest run is gone, and leaves no shared result behind', async () => {
    const first = await endedTaskRun();
    engine.clock.advance(5);
    const second = (await retryRun(engine.ports, { tenant: TENANT, run: first.id, actor: 'dana' })).run;
    await engine.drain();
    await remove();
    const blobs: Ports['blobs'] = {
      ...engine.ports.blobs,
      delete: (key) =>
        key.includes('/transcripts/')
          ? Promise.reject(new Error('the disk is read-only'))
          : engine.ports.blobs.delete(key),
    };
    await continueDeletions({ ...engine.ports, blobs });
    expect((await find(first.id))?.finalizers).toEqual(['penstock/files', 'penstock/records']);
    expect((await remove()).finalizers).toEqual(['penstock/records']);
    await continueDeletions(engine.ports);
    expect(await traces(first.id, second.id)).toEqual([]);
  });

  it('refuses to fork or retry what is being deleted', async () => {
    const { id } = await endedTaskRun();
    await remove();
    const request = { tenant: TENANT, run: id, actor: 'dana' };
    await expect(retryRun(engine.ports, request)).rejects.toMatchObject({ code: 'conflict' });
    await expect(forkRun(engine.ports, { ...request, task: 'task-7' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});

describe('a fork that was made while its run was being deleted', () => {
  /** `first` is being deleted; its fork, which takes over a result, was just accepted under the same name. */
  async function forkedMeanwhile(): Promise<{ first: Run; fork: Run; key: string }> {
    const first = await endedTaskRun();
    const key = (await engine.task(first.id, 'task-7')).result?.outputKey ?? '';
    engine.clock.advance(5);
    let fork: Run | undefined;
    const commit: Ports['store']['commit'] = async (writes) => {
      // Between the look at the name and the mark.
      fork ??= (await retryRun(engine.ports, { tenant: TENANT, run: first.id, actor: 'dana' })).run;
      return engine.ports.store.commit(writes);
    };
    await remove({ ...engine.ports, store: { ...engine.ports.store, commit } });
    if (fork === undefined) throw new Error('nothing was written');
    expect(fork.forkedFrom).toEqual({ run: first.id, reuse: ['task-7'] });
    return { first, fork, key };
  }
  const has = async (key: string) => (await engine.ports.blobs.get(key)) !== undefined;

  it('keeps what it takes over: the records until it has read them, the blobs as long as it lives', async () => {
    const { first, fork, key } = await forkedMeanwhile();
    await continueDeletions(engine.ports);
    expect(await find(first.id)).toMatchObject({ finalizers: ['penstock/files', 'penstock/records'] });
    await engine.drain();
    expect((await engine.task(fork.id, 'task-7')).result?.outputKey).toBe(key);
    await continueDeletions(engine.ports);
    expect(await find(first.id)).toBeUndefined();
    expect(await traces(first.id)).toEqual([
      `tenants/${TENANT}/runs/${fork.id}`,
      `tenants/${TENANT}/taskRuns/${NAME}`,
      key,
    ]);
    expect((await engine.run(fork.id)).stage).toBe('succeeded');
  });

  it('takes along, at its own deletion, what was kept for it', async () => {
    const { first, fork, key } = await forkedMeanwhile();
    await engine.drain();
    await continueDeletions(engine.ports);
    expect(await has(key)).toBe(true);
    await remove();
    await continueDeletions(engine.ports);
    expect(await has(key)).toBe(false);
    expect(await traces(first.id, fork.id)).toEqual([]);
  });
});

describe('what a run stores', () => {
  it('stands where its deletion looks', () => {
    const keys = Object.values(blobKeys).map((keyOf) =>
      (keyOf as (...parts: string[]) => string)('t', 'r', 'x', '1', '1', '1'),
    );
    for (const key of keys)
      expect(blobPrefixesOf('t', 'r').some((prefix) => key.startsWith(prefix))).toBe(true);
    const places = Object.values(refs).map((refOf) =>
      (refOf as (...parts: string[]) => { collection: string })('t', 'r', 'x'),
    );
    const below = [...places, feedRef('t', 'r')].map(({ collection }) => collection);
    const ofRun = below.filter((collection) => collection.startsWith('tenants/t/runs/r/'));
    expect(new Set(ofRun)).toEqual(new Set(collectionsOf('t', 'r')));
  });
});
