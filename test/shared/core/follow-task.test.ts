import { afterEach, describe, expect, it } from '@jest/globals';
import { claimTask } from '../../../shared/core/claim-task.ts';
import { foldHistory } from '../../../shared/core/history.ts';
import type { AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import { lostWhere, takeBack } from '../../../shared/core/take-back.ts';
import type { TaskHint } from '../../../shared/messages/topics.ts';
import {
  DONE,
  type Engine,
  type EngineOptions,
  type Sent,
  startEngine,
  TENANT,
} from '../../support/engine.ts';

const FAILED: AttemptResultInput = { outcome: 'failed', failure: { code: 'forbidden', message: 'no' } };
const task = (id: string, dependencies: string[] = [], optional = false) => ({
  id,
  dependencies,
  optional,
  agent: 'technical_writer',
  instructions: 'Nothing.',
});

describe('what follows an ended task', () => {
  let engine: Engine;
  afterEach(() => engine.close());

  function next(topic: Sent['topic']): Sent {
    const at = engine.mail.findIndex((sent) => sent.topic === topic);
    const [sent] = at === -1 ? [] : engine.mail.splice(at, 1);
    if (sent === undefined) throw new Error(`no message on ${topic}`);
    return sent;
  }

  /** Without a sweep: what the messages alone bring about. */
  async function runPlan(plan: object[], failing: string[] = [], options: EngineOptions = {}) {
    engine = await startEngine({ play: (id) => (failing.includes(id) ? FAILED : DONE), ...options });
    const { id } = await engine.submit({ plan });
    await engine.drain();
    const tasks = await engine.tasks(id);
    for (const each of tasks) expect(foldHistory(each.history)).toBe(each.state);
    return {
      run: await engine.run(id),
      states: Object.fromEntries(tasks.map((each) => [each.id, each.state])),
    };
  }

  it('is its dependants, each once, and then the end of the run', async () => {
    const { run, states } = await runPlan([
      task('a'),
      task('b', ['a']),
      task('c', ['a']),
      task('d', ['b', 'c']),
    ]);
    expect(run.stage).toBe('succeeded');
    expect(states).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded', d: 'succeeded' });
    expect([...engine.worked.entries()]).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
      ['d', 1],
    ]);
  });

  it('is dispatched beside the message of the end where it waited for nothing else, and is not dispatched again', async () => {
    engine = await startEngine();
    const { id: run } = await engine.submit({ plan: [task('a'), task('b', ['a']), task('c', ['a', 'b'])] });
    await engine.deliver(next('run-accepted'));
    const dispatch = next('task-dispatched');
    await engine.deliver(dispatch);
    const dispatched = engine.mail.filter(({ topic }) => topic === 'task-dispatched');
    expect(dispatched.map(({ message }) => message)).toEqual([
      { v: 1, tenant: TENANT, run, task: 'b', generation: 1 },
    ]);
    const [finished] = engine.mail.filter(({ topic }) => topic === 'task-finished');
    await engine.deliver(finished as Sent);
    expect(engine.mail).toHaveLength(2);
    // As after a crash between the commit and what was to be published then.
    engine.mail.length = 0;
    await engine.deliver(dispatch);
    expect(engine.mail.map(({ topic }) => topic).toSorted()).toEqual(['task-dispatched', 'task-finished']);
    await engine.drain();
    expect((await engine.run(run)).stage).toBe('succeeded');
    expect([...engine.worked.values()]).toEqual([1, 1, 1]);
  });

  it('goes on behind an optional task of which the last attempt was lost', async () => {
    engine = await startEngine({ policy: { maxAttempts: 1 } });
    const { id: run } = await engine.submit({ plan: [task('a', [], true), task('b', ['a'])] });
    await engine.deliver(next('run-accepted'));
    const { message } = next('task-dispatched') as { message: TaskHint };
    await claimTask(engine.ports, message);
    const ports = { ...engine.ports, work: () => Promise.reject(new Error('nothing is worked here')) };
    await takeBack(
      ports,
      await engine.task(run, 'a'),
      lostWhere(() => true),
    );
    expect(engine.mail).toEqual([{ topic: 'task-dispatched', message: { ...message, task: 'b' } }]);
    await engine.drain();
    const states = (await engine.tasks(run)).map(({ id, state }) => [id, state]);
    expect(Object.fromEntries(states)).toEqual({ a: 'failed', b: 'succeeded' });
  });

  it('is skipped, with everything behind it, when a required task failed', async () => {
    const { run, states } = await runPlan(
      [task('a'), task('b', ['a']), task('c', ['b']), task('d', ['b', 'c'])],
      ['a'],
    );
    expect(states).toEqual({ a: 'failed', b: 'skipped', c: 'skipped', d: 'skipped' });
    expect(run).toMatchObject({
      stage: 'failed',
      reason: { code: 'forbidden', message: 'task a failed: no' },
    });
    expect(run.tasksRoot).toBeDefined();
  });

  it('goes on behind an optional task that failed', async () => {
    const { run, states } = await runPlan([task('a', [], true), task('b', ['a'])], ['a']);
    expect(states).toEqual({ a: 'failed', b: 'succeeded' });
    expect(run.stage).toBe('succeeded');
  });

  it('goes on behind an optional task that was skipped', async () => {
    const { run, states } = await runPlan([task('a'), task('b', ['a'], true), task('c', ['b'])], ['a']);
    expect(states).toEqual({ a: 'failed', b: 'skipped', c: 'succeeded' });
    expect(run.stage).toBe('failed');
  });

  it('is the end of the run when the last live branch ends beside one that failed, whichever is first', async () => {
    // `slow` only leads to what `broken` has had skipped.
    const plan = [task('broken'), task('slow'), task('slower', ['slow']), task('both', ['broken', 'slower'])];
    const { run, states } = await runPlan(plan, ['broken']);
    expect(states).toEqual({ broken: 'failed', slow: 'succeeded', slower: 'succeeded', both: 'skipped' });
    expect(run.stage).toBe('failed');
    await engine.close();
    const again = await runPlan(
      [plan[1] as object, plan[2] as object, plan[0] as object, plan[3] as object],
      ['broken'],
    );
    expect(again.run.stage).toBe('failed');
  });

  it('is skipped in a moment behind layers that are joined every way', async () => {
    // 2^18 ways lead from the first task to the last.
    const layers = Array.from({ length: 18 }, (_, n) =>
      ['l', 'r'].map((side) => task(`${side}${n}`, n === 0 ? ['first'] : [`l${n - 1}`, `r${n - 1}`])),
    );
    const { run, states } = await runPlan([task('first'), ...layers.flat()], ['first']);
    expect(Object.values(states).filter((state) => state === 'skipped')).toHaveLength(36);
    expect(run.stage).toBe('failed');
  });

  it('is found by whichever message comes last, repeated or not', async () => {
    engine = await startEngine();
    const { id } = await engine.submit({ plan: [task('a'), task('b'), task('c', ['a', 'b'])] });
    for (let sent = engine.mail.shift(); sent !== undefined; sent = engine.mail.pop()) {
      await engine.deliver(sent);
      await engine.deliver(sent);
    }
    expect((await engine.run(id)).stage).toBe('succeeded');
    expect([...engine.worked.values()]).toEqual([1, 1, 1]);
  });
});
