import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { change } from '../../../shared/core/change.ts';
import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import { discardDeadLetter } from '../../../shared/core/discard-dead-letter.ts';
import { keepMessageLetter } from '../../../shared/core/keep-message-letter.ts';
import { keepTaskLetter } from '../../../shared/core/keep-task-letter.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { lettersOf, refs, runsOf } from '../../../shared/core/refs.ts';
import { replayDeadLetter } from '../../../shared/core/replay-dead-letter.ts';
import type { Run } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';
import { Crash, crashingPorts } from '../../support/crashing-ports.ts';
import { type Engine, startEngine, TENANT } from '../../support/engine.ts';
import { attemptOf, taskOf } from '../../support/records.ts';

const TOKEN = `ghp_${'a'.repeat(36)}`;
const step = (id: string, dependencies: string[] = []) => ({
  id,
  dependencies,
  agent: 'technical_writer',
  instructions: 'Nothing.',
});

let engine: Engine;
beforeEach(async () => {
  engine = await startEngine({
    play: (task) =>
      task === 'b'
        ? { outcome: 'failed', failure: { code: 'invalid_input', message: `refused with ${TOKEN}` } }
        : { outcome: 'succeeded', summary: 'done' },
  });
});
afterEach(() => engine.close());

async function letters(): Promise<{ id: string; letter: DeadLetter }[]> {
  const page = await engine.ports.store.query<DeadLetter>({
    from: { collection: lettersOf(TENANT) },
    limit: 50,
  });
  return page.documents.map(({ ref, data }) => ({ id: ref.id, letter: data }));
}

async function runs(): Promise<Run[]> {
  const page = await engine.ports.store.query<Run>({ from: { collection: runsOf(TENANT) }, limit: 50 });
  return page.documents.map(({ data }) => data);
}

/** `a` succeeded, `b` failed for good, and its letter is kept. */
async function failedRun(): Promise<{ run: Run; id: string }> {
  const run = await engine.submit({ plan: [step('a'), step('b', ['a'])] });
  await engine.drain();
  return { run: await engine.run(run.id), id: `${run.id}-b-1` };
}

const replay = (id: string, more: { key?: string; ports?: Ports } = {}) =>
  replayDeadLetter(more.ports ?? engine.ports, {
    tenant: TENANT,
    id,
    by: 'dana',
    ...(more.key === undefined ? {} : { key: more.key }),
  });
const discard = (id: string) => discardDeadLetter(engine.ports, { tenant: TENANT, id, by: 'dana' });

describe('a task that failed for good', () => {
  it('is kept once, with what it takes to try it again, and without secrets', async () => {
    const { run, id } = await failedRun();
    await keepTaskLetter(engine.ports, await engine.task(run.id, 'b'));
    const kept = await letters();
    expect(kept).toMatchObject([
      {
        id,
        letter: {
          kind: 'task',
          state: 'open',
          run: run.id,
          task: 'b',
          generation: 1,
          forkFrom: 'b',
          agent: 'technical_writer',
          attempts: 1,
          code: 'invalid_input',
          class: 'user',
          error: 'refused with [redacted: GitHub token]',
          replays: [],
        },
      },
    ]);
    expect(JSON.stringify(kept)).not.toContain(TOKEN);
  });

  const ended = (changes: Partial<Task>, code: 'conflict' | 'checks_red' | 'cancelled' = 'conflict') =>
    taskOf({
      attempts: [attemptOf({ exit: { outcome: 'failed', code, class: 'system', message: 'no' } })],
      ...changes,
    });

  it.each<[string, Task]>([
    ['succeeded', ended({ state: 'succeeded' })],
    ['was cancelled', ended({ state: 'cancelled' }, 'cancelled')],
    ['was skipped', taskOf({ state: 'skipped' })],
    ['is an integration that goes back to its owner', ended({ state: 'failed', kind: 'integrate' })],
  ])('leaves no letter where it %s', async (_, task) => {
    await keepTaskLetter(engine.ports, task);
    expect(await letters()).toEqual([]);
  });

  it('is forked from the task of the plan that it was delegated for', async () => {
    const { store } = engine.ports;
    await store.create(refs.task(TENANT, 'run1', 'top'), taskOf({ id: 'top' }));
    await store.create(refs.task(TENANT, 'run1', 'mid'), taskOf({ id: 'mid', parent: 'top', depth: 1 }));
    await keepTaskLetter(engine.ports, ended({ id: 'low', parent: 'mid', depth: 2, state: 'failed' }));
    await keepTaskLetter(engine.ports, ended({ id: 'plan', kind: 'plan', state: 'failed' }));
    const kept = (await letters()).map(({ id, letter }) => [id, letter.kind === 'task' && letter.forkFrom]);
    expect(kept).toEqual([
      ['run1-low-1', 'top'],
      ['run1-plan-1', undefined],
    ]);
  });
});

describe('replaying a task', () => {
  it('starts a run that takes over what succeeded', async () => {
    const { run, id } = await failedRun();
    const letter = await replay(id);
    const [first] = letter.replays;
    expect(letter).toMatchObject({ state: 'replayed', replays: [{ n: 1, by: 'dana', done: true }] });
    expect(await engine.run(first?.run ?? '')).toMatchObject({ forkedFrom: { run: run.id, reuse: ['a'] } });
  });

  it('retries the run where the task is the platform’s own', async () => {
    const { run } = await failedRun();
    const plan = taskOf({
      id: 'plan',
      run: run.id,
      kind: 'plan',
      state: 'failed',
      attempts: [attemptOf({ exit: { outcome: 'failed', code: 'model_garbage', message: 'no plan' } })],
    });
    await keepTaskLetter(engine.ports, plan);
    const [again] = (await replay(`${run.id}-plan-1`)).replays;
    expect((await engine.run(again?.run ?? '')).forkedFrom?.run).toBe(run.id);
  });

  it('is one run for one request, however often and at once it comes', async () => {
    const { id } = await failedRun();
    await Promise.all([replay(id, { key: 'k' }), replay(id, { key: 'k' })]);
    const letter = await replay(id, { key: 'k' });
    expect(letter.replays).toHaveLength(1);
    expect(await runs()).toHaveLength(2);
  });

  it('is done three times at most', async () => {
    const { id } = await failedRun();
    for (const _ of [1, 2, 3]) await replay(id);
    await expect(replay(id)).rejects.toMatchObject({ code: 'conflict' });
    const [kept] = await letters();
    expect(new Set(kept?.letter.replays.map(({ run }) => run)).size).toBe(3);
    expect(await runs()).toHaveLength(4);
  });

  it.each(['before', 'after'] as const)('makes one run, wherever it dies: %s a change', async (when) => {
    let deaths = 0;
    for (let n = 1, isThere = true; isThere; n += 1) {
      const before = (await runs()).length;
      const { id } = await failedRun();
      const dying = crashingPorts(engine.ports, n, when);
      await replay(id, { ports: dying.ports }).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
        deaths += 1;
      });
      isThere = dying.reached();
      // Done before the process died: another one is a new replay, which is what the person would ask for then.
      const letter = (await letters()).find((kept) => kept.id === id)?.letter;
      const after = letter?.replays[0]?.done === true ? letter : await replay(id);
      expect(after.replays).toMatchObject([{ n: 1, done: true }]);
      expect((await runs()).length - before).toBe(2);
    }
    expect(deaths).toBeGreaterThan(3);
  });

  it('does not count where it can never succeed, so that the letter can be discarded', async () => {
    const { run, id } = await failedRun();
    await change(engine.ports.store, refs.run(TENANT, run.id), (data) => ({
      data: { ...data, deletingSince: 1 },
    }));
    await expect(replay(id)).rejects.toMatchObject({ code: 'conflict' });
    expect((await letters())[0]?.letter).toMatchObject({ state: 'open', replays: [] });
    expect((await discard(id)).state).toBe('discarded');
  });
});

describe('replaying a message', () => {
  const keep = (topic: string, message: unknown) =>
    keepMessageLetter(engine.ports, {
      topic,
      subscription: 'test',
      messageId: `m-${topic}`,
      message,
      attributes: { tenant: TENANT },
      error: `failed with ${TOKEN}`,
    });
  const onlyId = async () => (await letters())[0]?.id ?? '';

  it('publishes it again while its run is live', async () => {
    const run = await engine.submit({ plan: [step('a')] });
    const message = { v: 1 as const, tenant: TENANT, run: run.id };
    engine.mail.length = 0;
    await keep('run-accepted', { ...message, note: `secret ${TOKEN}` });
    expect(JSON.stringify(await letters())).not.toContain(TOKEN);
    expect(await replay(await onlyId())).toMatchObject({
      state: 'replayed',
      replays: [{ n: 1, done: true }],
    });
    expect(engine.mail).toEqual([{ topic: 'run-accepted', message }]);
  });

  it('is refused when its run has ended, but not where it tells the outside of that end', async () => {
    const { id } = await engine.submit({ plan: [step('a')] });
    const message = { v: 1, tenant: TENANT, run: id };
    await cancelRun(engine.ports, TENANT, id, 'dana');
    await keep('run-accepted', message);
    await expect(replay(await onlyId())).rejects.toMatchObject({
      code: 'conflict',
      message: `run ${id} of this message has ended cancelled and takes no messages; retry the run instead, or fork it from one of its tasks`,
    });
    expect((await letters())[0]?.letter).toMatchObject({ state: 'open', replays: [] });
    await keep('notification-requested', message);
    const notice = (await letters()).find(
      ({ letter }) => letter.kind === 'message' && letter.topic !== 'run-accepted',
    );
    expect((await replay(notice?.id ?? '')).state).toBe('replayed');
  });

  it.each([
    ['of a topic that is not known', '', { v: 1, tenant: TENANT, run: 'abcd1234' }],
    ['that its topic does not take', 'run-accepted', { v: 1, tenant: TENANT }],
    ['of another tenant', 'notification-requested', { v: 1, tenant: 'other', run: 'abcd1234' }],
  ])('is refused for one %s', async (_, topic, message) => {
    await keep(topic, message);
    engine.mail.length = 0;
    await expect(replay(await onlyId())).rejects.toMatchObject({ code: 'refused' });
    expect(engine.mail).toEqual([]);
  });

  it('is refused when its run is gone', async () => {
    await keep('run-accepted', { v: 1, tenant: TENANT, run: 'abcd1234' });
    await expect(replay(await onlyId())).rejects.toMatchObject({ code: 'conflict' });
  });

  it('keeps one that is nested too deeply to be looked through', async () => {
    const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;
    await keep('run-accepted', { deep });
    expect((await letters())[0]?.letter).toMatchObject({ topic: 'run-accepted' });
  });
});

describe('discarding', () => {
  it('puts a letter aside for good; repeating it changes nothing', async () => {
    const { id } = await failedRun();
    const first = await discard(id);
    engine.clock.advance(1_000);
    expect(await discard(id)).toEqual(first);
    expect(first).toMatchObject({ state: 'discarded', discarded: { by: 'dana' } });
    await expect(replay(id)).rejects.toMatchObject({ code: 'conflict' });
    expect(await runs()).toHaveLength(1);
  });

  it('is refused for a letter that was replayed', async () => {
    const { id } = await failedRun();
    await replay(id);
    await expect(discard(id)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('of no letter is not found', async () => {
    await expect(discard('nope')).rejects.toMatchObject({ code: 'not_found' });
    await expect(replay('../runs/x')).rejects.toMatchObject({ code: 'not_found' });
  });
});
