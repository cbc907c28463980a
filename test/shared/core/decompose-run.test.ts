import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decomposeRun } from '../../../shared/core/decompose-run.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Write } from '../../../shared/ports/store.ts';
import { type Engine, type EngineOptions, startEngine, TENANT } from '../../support/engine.ts';
import { createHandWorkflows } from '../../support/hand-workflows.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';

const LIMIT = 2_000_000;

describe('A run that somebody asked for at a code host', () => {
  let engine: Engine;
  let sample: SampleRepository;
  /** What the host says of each login. */
  let permissionOf: (login: string) => Promise<'write' | 'read'>;
  beforeEach(() => {
    sample = createSampleRepository({ 'README.md': '# Todo\n' });
    permissionOf = (login) => Promise.resolve(login === 'ann' ? 'write' : 'read');
  });
  afterEach(async () => {
    sample.remove();
    await engine.close();
  });

  async function open(budget: { monthlyBudgetUsd?: number }, options: EngineOptions = {}): Promise<void> {
    engine = await startEngine(options);
    await engine.ports.store.create(refs.settings(TENANT), { v: 1, ...budget });
  }
  const asked = (login: string | undefined, more: Parameters<Engine['submit']>[0] = {}): Promise<Run> =>
    engine.submit({
      origin: { kind: 'github', actor: `github:${login}`, ...(login === undefined ? {} : { login }) },
      target: { host: 'local-git', repository: sample.folder },
      plan: [{ id: 'a', agent: 'technical_writer', instructions: 'Write.' }],
      ...more,
    });
  const decompose = ({ id }: Run, store: Ports['store'] = engine.ports.store): Promise<void> => {
    const codeHost: Ports['codeHost'] = (target) => ({
      ...engine.ports.codeHost(target),
      permission: (_target, login) => permissionOf(login),
    });
    return decomposeRun({ ...engine.ports, store, codeHost }, { v: 1, tenant: TENANT, run: id });
  };

  it('takes nothing of a budget from others while nobody has checked whether they may', async () => {
    await open({ monthlyBudgetUsd: 4 });
    const strangers = [];
    for (let n = 0; n < 3; n += 1) strangers.push(await asked('stranger'));
    engine.clock.advance(1_000);
    const mine = await asked('ann');
    await decompose(mine);
    expect(await engine.run(mine.id)).toMatchObject({ stage: 'executing', chargedMicroUsd: LIMIT });
    for (const run of strangers) {
      expect(run.chargedMicroUsd).toBe(0);
      await decompose(run);
      expect(await engine.run(run.id)).toMatchObject({
        stage: 'failed',
        chargedMicroUsd: 0,
        reason: { code: 'forbidden_actor', message: expect.stringContaining('stranger has read permission') },
      });
    }
  });

  it('that does not fit a budget either is refused to a stranger for who they are', async () => {
    await open({ monthlyBudgetUsd: 1 });
    const run = await asked('stranger');
    await decompose(run);
    expect(await engine.run(run.id)).toMatchObject({ reason: { code: 'forbidden_actor' } });
  });

  it('has its charge committed before it looks at what others have', async () => {
    await open({ monthlyBudgetUsd: 4 });
    const run = await asked('ann');
    const { store } = engine.ports;
    const seen: number[] = [];
    const sum: typeof store.sum = async (query) => {
      seen.push((await engine.run(run.id)).chargedMicroUsd);
      return store.sum(query);
    };
    await decompose(run, { ...store, sum });
    expect(seen).toEqual([LIMIT]);
  });

  it('does not go on together with another that fits without it only', async () => {
    await open({ monthlyBudgetUsd: 3 });
    const runs = await Promise.all([asked('ann'), asked('ann'), asked('ann')]);
    for (let round = 0; round < 4; round += 1)
      await Promise.allSettled(runs.map(async (run) => decompose(run)));
    const stages = await Promise.all(runs.map(async ({ id }) => (await engine.run(id)).stage));
    expect(stages.toSorted()).toEqual(['executing', 'failed', 'failed']);
  });

  it('is charged once, although it is delivered again after its charge was committed', async () => {
    await open({ monthlyBudgetUsd: 3 });
    const run = await asked('ann');
    const { store } = engine.ports;
    let commits = 0;
    const commit = (writes: Write[]): ReturnType<typeof store.commit> => {
      commits += 1;
      return commits > 1 ? Promise.reject(new Error('the process died here')) : store.commit(writes);
    };
    await expect(decompose(run, { ...store, commit })).rejects.toThrow('died here');
    expect(await engine.run(run.id)).toMatchObject({ stage: 'accepted', chargedMicroUsd: LIMIT });
    await decompose(run);
    expect(await engine.run(run.id)).toMatchObject({ stage: 'executing', chargedMicroUsd: LIMIT });
  });

  it.each([
    ['no commit more where no budget limits it', {}, 0],
    ['one commit more where a budget does', { monthlyBudgetUsd: 100 }, 1],
  ])('costs, beside one from the API, %s', async (_, budget, more) => {
    await open(budget);
    const { store } = engine.ports;
    const commitsOf = async (run: Run): Promise<number> => {
      let commits = 0;
      const commit = (writes: Write[]): ReturnType<typeof store.commit> => {
        commits += 1;
        return store.commit(writes);
      };
      await decompose(run, { ...store, commit });
      expect(await engine.run(run.id)).toMatchObject({ stage: 'executing', chargedMicroUsd: LIMIT });
      return commits;
    };
    expect((await commitsOf(await asked('ann'))) - (await commitsOf(await asked(undefined)))).toBe(more);
  });

  it('has no workflow started for a stranger, and is charged when its workflow lets it plan', async () => {
    const workflows = createHandWorkflows();
    await open({ monthlyBudgetUsd: 4 }, { workflows, policy: { drivers: ['requirement'] } });
    const theirs = await asked('stranger', { driver: 'requirement' });
    await decompose(theirs);
    expect(await engine.run(theirs.id)).toMatchObject({
      stage: 'failed',
      reason: { code: 'forbidden_actor' },
    });
    expect(workflows.started).toEqual([]);

    const mine = await asked('ann', { driver: 'requirement' });
    await decompose(mine);
    expect(workflows.started).toMatchObject([{ run: mine.id }]);
    const ref = refs.run(TENANT, mine.id);
    const stageRequest = {
      stage: 'execute',
      seq: 1,
      execution: 'e1',
      callback: 'c',
      state: 'asked',
    } as const;
    const waiting = await engine.run(mine.id);
    expect(waiting).toMatchObject({ stage: 'accepted', chargedMicroUsd: 0 });
    await engine.ports.store.commit([{ op: 'set', ref, data: { ...waiting, stageRequest } }]);
    await decompose(mine);
    expect(await engine.run(mine.id)).toMatchObject({ stage: 'executing', chargedMicroUsd: LIMIT });
  });

  it('ends where the host will never say what its actor may, and waits where it cannot be asked now', async () => {
    await open({ monthlyBudgetUsd: 4 });
    const run = await asked('ann');
    permissionOf = () => Promise.reject(new PenstockError('unavailable', 'no answer', { retry: 'later' }));
    await expect(decompose(run)).rejects.toThrow('no answer');
    expect(await engine.run(run.id)).toMatchObject({ stage: 'accepted', chargedMicroUsd: 0 });
    permissionOf = () => Promise.reject(new PenstockError('not_found', 'the App was removed'));
    await decompose(run);
    expect(await engine.run(run.id)).toMatchObject({
      stage: 'failed',
      chargedMicroUsd: 0,
      reason: { code: 'not_found', message: 'the App was removed' },
    });
  });
});
