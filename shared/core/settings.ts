import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type TenantSettings, tenantSettings } from '../messages/tenant-settings.ts';
import type { Policy, Ports } from './ports.ts';
import { refs } from './refs.ts';
import type { Task } from './task.ts';

export type Pool = Task['pool'];

/** The platform's policy with what the tenant has changed of it; all money in micro-dollars, all times in milliseconds. */
export interface Settings {
  /** SHA-256 of the tenant's own settings; a run is stamped with it. */
  hash: string;
  pools: Record<Pool, { min: number; max: number }>;
  maxRunningTasks?: number;
  maxLiveRuns?: number;
  monthlyBudgetMicroUsd?: number;
  projectBudgetsMicroUsd: ReadonlyMap<string, number>;
  defaultBudgetMicroUsd: number;
  maxAttempts: number;
  autoApproveMicroUsd: number;
  autoApproveTasks: number;
  onBudget: TenantSettings['onBudget'];
  decisionReminderMs: number;
  decisionDeadlineMs: number;
  steering: TenantSettings['steering'];
  circuitFailures: number;
  circuitResetMs: number;
}

export type SettingsOf = (tenant: string) => Promise<Settings>;

/** Settings are read again when they are older than this. */
export const SETTINGS_MAX_AGE_MS = 5_000;
/** Tenants whose settings one process remembers. */
const MAX_CACHED_TENANTS = 1_000;

/**
 * Reads a tenant's settings at most once in five seconds. What is not valid, or cannot be read, leaves the last good ones in
 * force (the platform's own where there were none) and is logged once per document.
 */
export function createSettings(
  ports: Pick<Ports, 'store' | 'clock' | 'log'> & { policy: Policy },
): SettingsOf {
  const cache = new Map<string, { settings: Settings; readAt: number; version?: string }>();
  const reading = new Map<string, Promise<Settings>>();

  async function read(tenant: string): Promise<Settings> {
    const known = cache.get(tenant);
    const readAt = ports.clock.now();
    const keep = (settings: Settings, version?: string) => {
      if (cache.size >= MAX_CACHED_TENANTS) cache.clear();
      cache.set(tenant, { settings, readAt, ...(version === undefined ? {} : { version }) });
      return settings;
    };
    const good = known?.settings ?? effectiveSettings({}, ports.policy);
    try {
      const found = await ports.store.get(refs.settings(tenant));
      if (found === undefined) return keep(effectiveSettings({}, ports.policy));
      if (found.version === known?.version) return keep(good, found.version);
      const { v: _v, ...given } = found.data;
      const parsed = tenantSettings.safeParse(given);
      if (parsed.success) return keep(effectiveSettings(parsed.data, ports.policy), found.version);
      const message = `settings of tenant ${tenant} are not valid and are ignored; the last good ones hold: ${z.prettifyError(parsed.error)}`;
      ports.log.error(message, { tenant });
      return keep(good, found.version);
    } catch (error) {
      if (known === undefined) throw error;
      return keep(good, known.version);
    }
  }

  return async (tenant) => {
    const known = cache.get(tenant);
    if (known !== undefined && ports.clock.now() - known.readAt < SETTINGS_MAX_AGE_MS) return known.settings;
    const running = reading.get(tenant) ?? read(tenant).finally(() => reading.delete(tenant));
    reading.set(tenant, running);
    return running;
  };
}

/** Pure: the platform's policy, overridden by what the tenant says. */
export function effectiveSettings(given: z.input<typeof tenantSettings>, policy: Policy): Settings {
  const own = tenantSettings.parse(given);
  const money = (usd: number | undefined): number | undefined =>
    usd === undefined ? undefined : Math.round(usd * 1e6);
  const monthly = money(own.monthlyBudgetUsd);
  return {
    hash: createHash('sha256').update(JSON.stringify(own)).digest('hex'),
    pools: {
      core: own.pools.core ?? policy.pools.core,
      specialist: own.pools.specialist ?? policy.pools.specialist,
      assessment: own.pools.assessment ?? policy.pools.assessment,
    },
    ...(own.maxRunningTasks === undefined ? {} : { maxRunningTasks: own.maxRunningTasks }),
    ...(own.maxLiveRuns === undefined ? {} : { maxLiveRuns: own.maxLiveRuns }),
    ...(monthly === undefined ? {} : { monthlyBudgetMicroUsd: monthly }),
    projectBudgetsMicroUsd: new Map(
      Object.entries(own.projectBudgetsUsd).map(([project, usd]) => [project, Math.round(usd * 1e6)]),
    ),
    defaultBudgetMicroUsd: money(own.defaultBudgetUsd) ?? policy.defaultBudgetMicroUsd,
    maxAttempts: own.maxAttempts ?? policy.maxAttempts,
    autoApproveMicroUsd: money(own.autoApproveUsd) ?? policy.autoApproveMicroUsd,
    autoApproveTasks: own.autoApproveTasks ?? policy.autoApproveTasks,
    onBudget: own.onBudget,
    decisionReminderMs: own.decisionReminderHours * 3_600_000,
    decisionDeadlineMs: own.decisionDeadlineHours * 3_600_000,
    steering: own.steering,
    circuitFailures: own.circuitFailures,
    circuitResetMs: own.circuitResetSeconds * 1_000,
  };
}
