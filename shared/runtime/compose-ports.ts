import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadAgents, loadPrompts } from '../adapters/local/agent-files.ts';
import { createRandomIds } from '../adapters/local/random-ids.ts';
import { createCircuits } from '../core/circuits/create-circuits.ts';
import type { Policy, Ports, Worker } from '../core/ports.ts';
import { createProcessMemory } from '../core/process-memory.ts';
import { redact } from '../core/repository/scan-secrets.ts';
import { DIRECT } from '../core/run.ts';
import { createSettings } from '../core/settings.ts';
import { createWorker } from '../core/work/create-worker.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { CommonConfig } from './config.ts';
import { shippedPath } from './shipped-path.ts';

/** What differs by the place that a process runs in; everything else is composed here. */
export interface PlacePorts extends Pick<
  Ports,
  'store' | 'queue' | 'blobs' | 'jobs' | 'workflows' | 'model' | 'codeHost' | 'log' | 'trace' | 'clock'
> {
  policy: Policy;
  /** In place of the agent loop for the function lane. */
  work?: Worker | undefined;
}

export async function composePorts({ work, ...place }: PlacePorts): Promise<Ports> {
  requireDriver(place.policy);
  const agents = new Map(
    (await loadAgents(shippedPath('shared/agents'))).map((agent) => [agent.name, agent]),
  );
  const prompts = await loadPrompts(shippedPath('shared/prompts'));
  const settings = createSettings(place);
  const { provider } = place.model;
  return {
    ...place,
    ids: createRandomIds(),
    agents,
    work: work ?? createWorker({ roster: { agents, prompts }, clock: place.clock, redact }),
    memory: createProcessMemory(),
    settings,
    circuits: createCircuits({
      ...place,
      settings,
      provider,
      defaultTenant: place.policy.defaultTenant,
    }),
    host: randomUUID(),
  };
}

/** Otherwise every run that names no driver would be refused. */
function requireDriver({ drivers, defaultDriver }: Policy): void {
  const known = [DIRECT, ...drivers];
  if (known.includes(defaultDriver)) return;
  throw new PenstockError('config', `PENSTOCK_DRIVER got '${defaultDriver}' and takes ${known.join(' or ')}`);
}

/** The policy of the environment; `pools`, repositories and links are the place's own. */
export function policyOf(
  config: CommonConfig,
  place: Pick<Policy, 'pools' | 'localRepositories' | 'publicUrl' | 'drivers'>,
): Policy {
  return {
    ...place,
    version: readVersion(),
    defaultBudgetMicroUsd: Math.round(config.PENSTOCK_BUDGET_USD * 1e6),
    autoApproveMicroUsd: 5_000_000,
    autoApproveTasks: 20,
    maxPlanTasks: config.PENSTOCK_MAX_PLAN_TASKS,
    maxPlanDepth: config.PENSTOCK_MAX_PLAN_DEPTH,
    maxAttempts: 3,
    retryBaseMs: config.PENSTOCK_RETRY_BASE_SECONDS * 1_000,
    retryCapMs: 60_000,
    leaseMs: config.PENSTOCK_LEASE_SECONDS * 1_000,
    renewEveryMs: config.PENSTOCK_RENEW_SECONDS * 1_000,
    startByJobMs: config.PENSTOCK_START_SECONDS * 1_000,
    functionLaneLimitMs: 9 * 60_000,
    wrapUpMs: 60_000,
    maxFixRounds: 3,
    ciGraceMs: 30_000,
    ciDeadlineMs: 2 * 60 * 60_000,
    defaultDriver: config.PENSTOCK_DRIVER,
    githubAccounts: config.PENSTOCK_GITHUB_ACCOUNTS ?? 'any',
    defaultTenant: config.PENSTOCK_TENANT,
  };
}

function readVersion(): string {
  const text = readFileSync(shippedPath('package.json'), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? '0.0.0';
}

/** During a rotation two secrets hold. */
export function webhookSecretsOf(config: CommonConfig): string[] {
  return [config.GITHUB_WEBHOOK_SECRET, config.GITHUB_WEBHOOK_SECRET_PREVIOUS].filter(
    (secret) => secret !== undefined,
  );
}
