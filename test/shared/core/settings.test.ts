import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openSqliteDatabase } from '../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../shared/adapters/local/sqlite-store.ts';
import { refs } from '../../../shared/core/refs.ts';
import { createSettings, effectiveSettings, type SettingsOf } from '../../../shared/core/settings.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { createHandClock, POLICY, silent, type HandClock } from '../../support/engine.ts';

describe('the settings of a tenant', () => {
  let store: Store;
  let clock: HandClock;
  let settings: SettingsOf;
  let reads: number;
  let isAway: boolean;
  let said: string[];
  let close: () => Promise<void>;
  beforeEach(() => {
    const database = openSqliteDatabase({ file: ':memory:', synchronous: 'normal' });
    store = createSqliteStore({ database, indexes: [] });
    close = async () => {
      await store.close();
      database.close();
    };
    clock = createHandClock();
    [reads, isAway, said] = [0, false, []];
    const get: Store['get'] = (ref) => {
      reads += 1;
      const away = new PenstockError('unavailable', 'the store is away', { retry: 'later' });
      return isAway ? Promise.reject(away) : store.get(ref);
    };
    const say = (message: string) => void said.push(message);
    const log = { ...silent, warn: say, error: say };
    settings = createSettings({ store: { ...store, get }, clock, log, policy: POLICY });
  });
  afterEach(() => close());
  const write = (document: object, tenant = 'local') =>
    store.commit([{ op: 'set', ref: refs.settings(tenant), data: { v: 1, ...document } }]);

  it("are the platform's own where the tenant has none", async () => {
    expect(await settings('local')).toMatchObject({
      maxAttempts: POLICY.maxAttempts,
      defaultBudgetMicroUsd: POLICY.defaultBudgetMicroUsd,
      pools: POLICY.pools,
      onBudget: 'ask',
    });
  });

  it('override what they name and nothing else', async () => {
    await write({
      maxAttempts: 5,
      monthlyBudgetUsd: 0.5,
      pools: { core: { max: 2 } },
      decisionReminderHours: 2,
    });
    expect(await settings('local')).toMatchObject({
      maxAttempts: 5,
      monthlyBudgetMicroUsd: 500_000,
      pools: { ...POLICY.pools, core: { min: 0, max: 2 } },
      decisionReminderMs: 7_200_000,
      defaultBudgetMicroUsd: POLICY.defaultBudgetMicroUsd,
    });
  });

  it('are read at most once in five seconds, and a change is seen then', async () => {
    await write({ maxAttempts: 5 });
    await settings('local');
    await write({ maxAttempts: 6 });
    clock.advance(4_999);
    expect((await settings('local')).maxAttempts).toBe(5);
    expect(reads).toBe(1);
    clock.advance(1);
    expect((await settings('local')).maxAttempts).toBe(6);
    expect(reads).toBe(2);
  });

  it('are read once by callers at the same time', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => settings('local')));
    expect(reads).toBe(1);
    expect(new Set(all).size).toBe(1);
  });

  it('are those of the tenant that asks', async () => {
    await write({ maxAttempts: 5 });
    await write({ maxAttempts: 7 }, 'acme');
    expect([(await settings('local')).maxAttempts, (await settings('acme')).maxAttempts]).toEqual([5, 7]);
  });

  it('stay as they were while the document is not valid, which is logged once for each version of it', async () => {
    await write({ maxAttempts: 5 });
    await settings('local');
    await write({ maxAttempts: 99, pools: { core: { min: 5, max: 2 } }, typo: 1 });
    for (let n = 0; n < 4; n += 1) {
      clock.advance(5_000);
      expect((await settings('local')).maxAttempts).toBe(5);
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('maxAttempts');
    expect(said[0]).toContain('pools.core.min: is larger than max');
    expect(said[0]).toContain('typo');
    await write({ maxAttempts: 98 });
    clock.advance(5_000);
    await settings('local');
    expect(said).toHaveLength(2);
    await write({ maxAttempts: 4 });
    clock.advance(5_000);
    expect((await settings('local')).maxAttempts).toBe(4);
  });

  it("are the platform's own where the first document is not valid, and after the document is gone", async () => {
    await write({ maxAttempts: 'many' });
    expect((await settings('local')).maxAttempts).toBe(POLICY.maxAttempts);
    await write({ maxAttempts: 5 });
    clock.advance(5_000);
    expect((await settings('local')).maxAttempts).toBe(5);
    await store.commit([{ op: 'delete', ref: refs.settings('local') }]);
    clock.advance(5_000);
    expect((await settings('local')).maxAttempts).toBe(POLICY.maxAttempts);
  });

  it('stay as they were while the store cannot be read', async () => {
    await write({ maxAttempts: 5 });
    await settings('local');
    isAway = true;
    clock.advance(5_000);
    expect((await settings('local')).maxAttempts).toBe(5);
    expect(said[0]).toContain('the store is away');
    isAway = false;
    await write({ maxAttempts: 6 });
    clock.advance(5_000);
    expect((await settings('local')).maxAttempts).toBe(6);
  });

  it('are unknown, not guessed, while the store could never be read', async () => {
    isAway = true;
    await expect(settings('local')).rejects.toMatchObject({ code: 'unavailable' });
    isAway = false;
    await expect(settings('local')).resolves.toBeDefined();
  });

  it('of few tenants are forgotten for those of many others: the good ones outlive them', async () => {
    await write({ maxAttempts: 5 });
    await settings('local');
    await write({ maxAttempts: 99 });
    for (let n = 0; n < 999; n += 1) await settings(`t${n}`);
    clock.advance(5_000);
    for (let n = 0; n < 50; n += 1) await settings(`t${n}`);
    expect((await settings('local')).maxAttempts).toBe(5);
  });

  it('have a hash that changes with them and with nothing else', () => {
    const hash = (given: Parameters<typeof effectiveSettings>[0]) => effectiveSettings(given, POLICY).hash;
    expect(hash({ maxAttempts: 5 })).toBe(hash({ maxAttempts: 5, onBudget: 'ask' }));
    expect(hash({ maxAttempts: 5 })).not.toBe(hash({ maxAttempts: 6 }));
    expect(hash({ maxAttempts: 5, onBudget: 'fail' })).toBe(hash({ onBudget: 'fail', maxAttempts: 5 }));
  });
});
