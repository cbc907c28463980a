import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exclusively, performEffect } from '../../../shared/core/perform-effect.ts';
import { refs } from '../../../shared/core/refs.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { startEngine, TENANT, type Engine } from '../../support/engine.ts';

const effect = { tenant: TENANT, run: 'run1', id: 'pull-request' };
/** Longer than anybody may be at an effect. */
const CLAIM_MS = 120_001;

describe('an effect outside', () => {
  let engine: Engine;
  /** What stands outside. */
  let outside: number[];
  beforeEach(async () => {
    engine = await startEngine();
    outside = [];
  });
  afterEach(() => engine.close());
  const look = () => Promise.resolve(outside[0] === undefined ? undefined : { number: outside[0] });
  const act = () => {
    outside.push(outside.length + 1);
    return Promise.resolve({ number: outside.length });
  };

  it('is done once, and its answer is remembered', async () => {
    expect(await performEffect(engine.ports, effect, { look, act })).toEqual({ number: 1 });
    outside = [];
    expect(await performEffect(engine.ports, effect, { look, act })).toEqual({ number: 1 });
    expect(outside).toEqual([]);
  });

  it('is found instead of repeated when the first try ended with an unknown outcome', async () => {
    const lost = async () => {
      await act();
      throw new Error('the connection broke');
    };
    await expect(performEffect(engine.ports, effect, { look, act: lost })).rejects.toThrow(
      'the connection broke',
    );
    expect(await performEffect(engine.ports, effect, { look, act })).toEqual({ number: 1 });
    expect(outside).toEqual([1]);
  });

  it('is found where a try that was given up is carried out between the look and the next try', async () => {
    const late = async () => {
      await act();
      throw new PenstockError('conflict', 'a pull request already exists');
    };
    expect(await performEffect(engine.ports, effect, { look, act: late })).toEqual({ number: 1 });
    expect(outside).toEqual([1]);
  });

  it('that is refused as a conflict, with nothing there, is refused', async () => {
    const refused = () => Promise.reject(new PenstockError('conflict', 'the branch has another head'));
    await expect(performEffect(engine.ports, effect, { look, act: refused })).rejects.toThrow('another head');
    expect(await performEffect(engine.ports, effect, { look, act })).toEqual({ number: 1 });
  });

  it('is done by one at a time: the others come back later', async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => performEffect(engine.ports, effect, { look, act })),
    );
    expect(all.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    for (const each of all)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'conflict', retry: 'later' });
    expect(outside).toEqual([1]);
  });

  it('of a process that died is taken over when its time has passed, and looked for first', async () => {
    void performEffect(engine.ports, effect, {
      look,
      act: async () => (await act(), new Promise(() => undefined)),
    });
    await new Promise((resolve) => setImmediate(resolve));
    await expect(performEffect(engine.ports, effect, { look, act })).rejects.toMatchObject({
      code: 'conflict',
      retry: 'later',
    });
    engine.clock.advance(CLAIM_MS);
    expect(await performEffect(engine.ports, effect, { look, act })).toEqual({ number: 1 });
    expect(outside).toEqual([1]);
    const record = await engine.ports.store.get(refs.effect(TENANT, 'run1', 'pull-request'));
    expect(record?.data).toMatchObject({ state: 'done', attempts: 2 });
  });

  it('that may be repeated is done by one at a time, again and again', async () => {
    let inside = 0;
    const action = async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      await act();
    };
    const both = await Promise.allSettled([
      exclusively(engine.ports, effect, action),
      exclusively(engine.ports, effect, action),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await exclusively(engine.ports, effect, action);
    await expect(exclusively(engine.ports, effect, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );
    await exclusively(engine.ports, effect, action);
    expect(outside).toEqual([1, 2, 3]);
  });
});
