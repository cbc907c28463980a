import { afterEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { withinBudgets } from '../../../shared/core/within-budgets.ts';
import type { TenantSettingsInput } from '../../../shared/messages/tenant-settings.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { runOf } from '../../support/records.ts';

const NOVEMBER = Date.parse('2026-11-20T10:00:00Z');

describe('the budgets that runs share', () => {
  let engine: Engine;
  afterEach(() => engine.close());

  async function open(settings: TenantSettingsInput): Promise<void> {
    engine = await startEngine();
    await engine.ports.store.create(refs.settings(TENANT), { v: 1, ...settings });
  }
  async function record(changes: Partial<Run>): Promise<Run> {
    const run = runOf({ stage: 'accepted', createdAt: NOVEMBER, ...changes });
    await engine.ports.store.create(refs.run(run.tenant, run.id), run);
    return run;
  }
  const check = (run: Run) => withinBudgets(engine.ports, run);
  const plan = [{ id: 'api', agent: 'technical_writer', instructions: 'Write.' }];

  it('let everything pass where there are none', async () => {
    await open({});
    const run = await record({ chargedMicroUsd: 900_000_000 });
    expect(await check(run)).toBeUndefined();
  });

  it('end the run that takes the tenant over its month, and say what to do', async () => {
    await open({ monthlyBudgetUsd: 5 });
    await record({ id: 'live', stage: 'executing', chargedMicroUsd: 2_500_000 });
    await record({ id: 'done', stage: 'succeeded', chargedMicroUsd: 600_000 });
    expect(await check(await record({ id: 'fits', chargedMicroUsd: 1_900_000 }))).toBeUndefined();
    const reason = await check(
      await record({ id: 'over', createdAt: NOVEMBER + 1, chargedMicroUsd: 10_000 }),
    );
    expect(reason?.code).toBe('budget');
    expect(reason?.message).toBe(
      'the runs of tenant local would have $5.01 spent or set aside in 2026-11, over its budget of $5.00, the $0.01 of run over included; ' +
        'submit it with a smaller budget, wait until others have ended, or ask a team admin to raise monthlyBudgetUsd (PUT /api/tenants/local)',
    );
  });

  it('count a project by itself', async () => {
    await open({ projectBudgetsUsd: { shop: 3 } });
    await record({ id: 'shop1', stage: 'executing', project: 'shop', chargedMicroUsd: 2_000_000 });
    await record({ id: 'other', stage: 'executing', project: 'blog', chargedMicroUsd: 90_000_000 });
    expect(await check(await record({ id: 'blog1', project: 'blog' }))).toBeUndefined();
    expect(await check(await record({ id: 'none' }))).toBeUndefined();
    const reason = await check(await record({ id: 'shop2', project: 'shop' }));
    expect(reason?.message).toContain('project shop');
    expect(reason?.message).toContain("projectBudgetsUsd['shop']");
  });

  it('begin anew with each month, and not in that of a run that was created before', async () => {
    await open({ monthlyBudgetUsd: 3 });
    const october = Date.parse('2026-10-31T23:59:59.999Z');
    await record({ id: 'october', stage: 'executing', createdAt: october });
    await record({ id: 'november', stage: 'executing', createdAt: Date.parse('2026-11-01T00:00:00Z') });
    await record({ id: 'december', stage: 'executing', createdAt: Date.parse('2026-12-01T00:00:00Z') });
    const small = { chargedMicroUsd: 1_000_000 };
    expect(await check(await record({ id: 'fits', ...small }))).toBeUndefined();
    expect(await check(await record({ id: 'late', createdAt: october, ...small }))).toBeUndefined();
    expect(await check(await record({ id: 'over', createdAt: NOVEMBER + 1, ...small }))).toBeDefined();
  });

  it('make a run wait for later ones that may still give way, and end the last', async () => {
    await open({ monthlyBudgetUsd: 3 });
    const first = await record({ id: 'aaaa' });
    const second = await record({ id: 'bbbb' });
    await expect(check(first)).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    expect(await check(second)).toMatchObject({ code: 'budget' });
    const ended = { ...second, stage: 'failed' as const, chargedMicroUsd: 0 };
    await engine.ports.store.commit([{ op: 'set', ref: refs.run(TENANT, 'bbbb'), data: ended }]);
    expect(await check(first)).toBeUndefined();
  });

  it('make no run wait for one that is paused', async () => {
    await open({ monthlyBudgetUsd: 3 });
    const first = await record({ id: 'aaaa' });
    await record({ id: 'bbbb', paused: true });
    expect(await check(first)).toMatchObject({ code: 'budget' });
  });

  it('are held whatever the order in which runs are committed and look, and every run gets its answer', async () => {
    const moves = fc.array(fc.nat({ max: 9 }), { minLength: 10, maxLength: 40 });
    const runs = fc.array(fc.record({ at: fc.nat({ max: 2 }), cost: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 2,
      maxLength: 5,
    });
    await open({ monthlyBudgetUsd: 5 });
    let trial = 0;
    await fc.assert(
      fc.asyncProperty(runs, moves, async (wanted, order) => {
        trial += 1;
        // A month of its own for each trial.
        const month = Date.UTC(2000, trial);
        const seen = new Map<string, { run: Run; verdict: 'none' | 'on' | 'ended' }>();
        const move = async (n: number): Promise<void> => {
          const id = `t${trial}r${n}`;
          const known = seen.get(id);
          const { at, cost } = wanted[n] ?? { at: 0, cost: 1 };
          if (known === undefined) {
            const run = await record({ id, createdAt: month + at, chargedMicroUsd: cost * 1e6 });
            seen.set(id, { run, verdict: 'none' });
          } else if (known.verdict === 'none') {
            const reason = await check(known.run).catch(asWaiting);
            if (reason === 'waits') return;
            const change =
              reason === undefined
                ? { stage: 'planning' as const }
                : { stage: 'failed' as const, chargedMicroUsd: 0 };
            const ref = refs.run(TENANT, id);
            await engine.ports.store.commit([{ op: 'set', ref, data: { ...known.run, ...change } }]);
            seen.set(id, { run: known.run, verdict: reason === undefined ? 'on' : 'ended' });
          }
        };
        for (const pick of order) await move(pick % wanted.length);
        // Redeliveries, until nobody waits.
        for (let round = 0; round <= wanted.length + 1; round += 1)
          for (let n = 0; n < wanted.length; n += 1) await move(n);
        const on = [...seen.values()].filter(({ verdict }) => verdict === 'on');
        expect([...seen.values()].filter(({ verdict }) => verdict === 'none')).toEqual([]);
        expect(on.reduce((sum, { run }) => sum + run.chargedMicroUsd, 0)).toBeLessThanOrEqual(5_000_000);
        // Somebody always fits, as nobody wants more than there is.
        expect(on.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  it('are asked when a run begins: one that does not fit fails with nothing planned', async () => {
    await open({ monthlyBudgetUsd: 3 });
    const first = await engine.submit({ plan });
    await engine.drain();
    await record({
      id: 'live',
      stage: 'executing',
      createdAt: engine.clock.now(),
      chargedMicroUsd: 2_500_000,
    });
    const second = await engine.submit({ plan, budgetMicroUsd: 1_000_000 });
    await engine.drain();
    expect(await engine.run(first.id)).toMatchObject({ stage: 'succeeded', chargedMicroUsd: 0 });
    expect(await engine.run(second.id)).toMatchObject({ stage: 'failed', reason: { code: 'budget' } });
    expect(await engine.tasks(second.id)).toEqual([]);
  });
});

function asWaiting(error: unknown): 'waits' {
  if (error instanceof PenstockError && error.retry === 'later') return 'waits';
  throw error;
}
