import { createHash } from 'node:crypto';
import type { z } from 'zod';
import {
  type TenantSettings,
  type TenantSettingsInput,
  tenantSettings,
} from '../messages/tenant-settings.ts';
import type { Versioned } from '../ports/store.ts';
import type { Policy, Ports } from './ports.ts';
import { createRecentReads } from './recent-reads.ts';
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
  decisions: TenantSettings['decisions'];
  decisionReminderMs: number;
  decisionEscalationMs: number;
  escalateTo: string[];
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

interface Known {
  settings: Settings;
  /** Of the newest document that was read, valid or not; absent where there was none. */
  version?: string;
}

/**
 * Reads a tenant's settings at most once in five seconds. What is not valid leaves the last good ones in force (the platform's
 * own where there were none) and is logged once per document. What cannot be read leaves them in force too, but without any
 * the error is the caller's: nobody knows what the tenant has forbidden.
 */
export function createSettings(
  ports: Pick<Ports, 'store' | 'clock' | 'log'> & { policy: Policy },
): SettingsOf {
  const recent = createRecentReads<Known>(ports.clock, {
    maxAgeMs: SETTINGS_MAX_AGE_MS,
    maxEntries: MAX_CACHED_TENANTS,
  });

  async function load(tenant: string): Promise<Known> {
    const known = recent.last(tenant);
    try {
      return next(tenant, known, await ports.store.get(refs.settings(tenant)));
    } catch (error) {
      if (known === undefined) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      ports.log.warn(`settings of tenant ${tenant} cannot be read, the last ones hold: ${reason}`, {
        tenant,
      });
      return known;
    }
  }

  function next(tenant: string, known: Known | undefined, found: Versioned<object> | undefined): Known {
    if (found === undefined) return { settings: effectiveSettings({}, ports.policy) };
    const { version } = found;
    if (known !== undefined && version === known.version) return { settings: known.settings, version };
    const parsed = parseSettings(found.data);
    if (parsed.success) return { settings: effectiveSettings(parsed.data, ports.policy), version };
    const reasons = reasonsOf(parsed.error).join('; ');
    ports.log.error(`settings of tenant ${tenant} are ignored, the last good ones hold: ${reasons}`, {
      tenant,
    });
    return { settings: known?.settings ?? effectiveSettings({}, ports.policy), version };
  }

  return async (tenant) => (await recent.read(tenant, () => load(tenant))).settings;
}

/** A stored document of settings, as it may also have been written by hand. */
export function parseSettings(stored: object): z.ZodSafeParseResult<TenantSettings> {
  const { v: _v, ...given } = stored as { v?: unknown };
  return tenantSettings.safeParse(given);
}

export function reasonsOf({ issues }: z.ZodError): string[] {
  return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
}

/** Pure: the platform's policy, overridden by what the tenant says. */
export function effectiveSettings(given: TenantSettingsInput, policy: Policy): Settings {
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
    decisions: own.decisions,
    decisionReminderMs: own.decisionReminderHours * 3_600_000,
    decisionEscalationMs: own.decisionEscalationHours * 3_600_000,
    escalateTo: own.escalateTo,
    decisionDeadlineMs: own.decisionDeadlineHours * 3_600_000,
    steering: own.steering,
    circuitFailures: own.circuitFailures,
    circuitResetMs: own.circuitResetSeconds * 1_000,
  };
}
