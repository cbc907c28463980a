import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAnthropicModel } from '../adapters/anthropic/anthropic-model.ts';
import { createMessagesGateway } from '../adapters/anthropic/messages-gateway.ts';
import { createGithubCodeHost } from '../adapters/github/github-code-host.ts';
import { loadAgents, loadPrompts } from '../adapters/local/agent-files.ts';
import { createFileBlobs } from '../adapters/local/file-blobs.ts';
import { createLocalGitCodeHost } from '../adapters/local/local-git-code-host.ts';
import { createLocalIdentity } from '../adapters/local/local-identity.ts';
import { createPinoLog } from '../adapters/local/pino-log.ts';
import { createProcessJobStarter, type ProcessJobStarter } from '../adapters/local/process-job-starter.ts';
import { createRandomIds } from '../adapters/local/random-ids.ts';
import type { GroupIndex } from '../adapters/local/sqlite-documents.ts';
import { openSqliteDatabase } from '../adapters/local/sqlite-database.ts';
import { createSqliteQueue, type SqliteQueue } from '../adapters/local/sqlite-queue.ts';
import { createSqliteStore, type SqliteStore } from '../adapters/local/sqlite-store.ts';
import { createSystemClock } from '../adapters/local/system-clock.ts';
import type { Policy, Ports, Worker } from '../core/ports.ts';
import { redact } from '../core/repository/scan-secrets.ts';
import { createCircuits } from '../core/circuits/create-circuits.ts';
import { createProcessMemory } from '../core/process-memory.ts';
import { createSettings } from '../core/settings.ts';
import { createWorker } from '../core/work/create-worker.ts';
import type { CodeHost } from '../ports/code-host.ts';
import type { Log } from '../ports/log.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Config } from './config.ts';
import type { Runtime } from './functions.ts';

/** Who answers for the model in local mode. */
export interface ModelAccess {
  provider: 'anthropic' | 'script';
  baseUrl: string;
  apiKey: string;
  /** Every call of the platform and of its jobs goes through it. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch;
}

export interface LocalRuntimeOptions {
  config: Config;
  /** Where this process answers HTTP: jobs, signed URLs and links go there. */
  baseUrl: string;
  model: ModelAccess;
  log?: Log;
  /** In place of the agent loop for the function lane. */
  work?: Worker;
  /** Program of the job lane, as Cloud Run's image would have another. @default functions/agent-job/main.ts */
  jobProgram?: string;
  /** Wraps ports: faults in tests. */
  decorate?: (ports: Ports) => Ports;
}

export interface LocalRuntime extends Runtime {
  queue: SqliteQueue;
  store: SqliteStore;
  jobs: ProcessJobStarter;
  blobSecret: string;
  dataFolder: string;
}

/** States that admission and the sweep look for; nearly all tasks are in others. */
const HELD = { state: ['ready', 'starting', 'running'] };

/** What the queries of the core need; Firestore's composite indexes are the same list. */
export const INDEXES: GroupIndex[] = [
  // Whether a dependant may go on, and whether the run may end.
  {
    group: 'tasks',
    scope: 'collection',
    array: 'dependants',
    fields: ['settled'],
    only: { settled: [false] },
  },
  { group: 'tasks', scope: 'collection', fields: ['live'], only: { live: [true] } },
  // What still leads to a task that is skipped.
  { group: 'tasks', scope: 'collection', array: 'dependants', fields: ['live'], only: { live: [true] } },
  // Failures that look alike, of the run.
  { group: 'tasks', scope: 'collection', fields: ['signature'] },
  // Admission.
  { group: 'tasks', scope: 'group', fields: ['tenant', 'pool', 'state', 'rank'], only: HELD },
  { group: 'tasks', scope: 'group', fields: ['agent', 'state'], only: HELD },
  // The sweep.
  { group: 'tasks', scope: 'group', fields: ['state', 'leaseUntil'], only: HELD },
  {
    group: 'tasks',
    scope: 'group',
    fields: ['state', 'notBefore'],
    only: { state: ['pending', 'ready'] },
  },
  { group: 'runs', scope: 'group', fields: ['stage', 'checkedAt'] },
  {
    group: 'runs',
    scope: 'group',
    fields: ['unsettledOutside', 'checkedAt'],
    only: { unsettledOutside: [true] },
  },
  { group: 'runs', scope: 'group', fields: ['deletingSince'] },
  { group: 'effects', scope: 'group', fields: ['state', 'claimUntil'], only: { state: ['intended'] } },
  { group: 'decisions', scope: 'group', fields: ['state', 'dueAt'], only: { state: ['open'] } },
  // Lists.
  { group: 'runs', scope: 'collection', fields: ['createdAt'] },
  { group: 'runs', scope: 'collection', fields: ['stage', 'createdAt'] },
  { group: 'deadLetters', scope: 'collection', fields: ['at'] },
  { group: 'decisions', scope: 'collection', fields: ['createdAt'] },
  { group: 'decisions', scope: 'collection', fields: ['state', 'createdAt'] },
  { group: 'decisions', scope: 'collection', fields: ['run', 'state'], only: { state: ['open'] } },
  // What a project has spent and set aside this month.
  { group: 'runs', scope: 'collection', fields: ['project', 'createdAt'] },
];

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** On one machine PENSTOCK_MAX_JOBS and the deliveries at a time are the limit; a tenant's settings may set a lower one. */
const LOCAL_POOL = { min: 0, max: 64 };
const JOB_GRACE_MS = 10_000;

/** The whole system's adapters in one process: SQLite, files, child processes. */
export async function createLocalRuntime(options: LocalRuntimeOptions): Promise<LocalRuntime> {
  const { config, baseUrl, model: access } = options;
  const dataFolder = config.PENSTOCK_DATA;
  mkdirSync(dataFolder, { recursive: true });
  const log = options.log ?? createPinoLog({ level: config.LOG_LEVEL });
  const clock = createSystemClock();
  const database = openSqliteDatabase({ file: join(dataFolder, 'penstock.db'), synchronous: 'normal' });
  const store = createSqliteStore({ database, indexes: INDEXES });
  const queue = createSqliteQueue({ database, clock, log, minBackoffMs: 200, maxBackoffMs: 15_000 });
  const blobSecret = readSecret(join(dataFolder, 'blob-secret'));
  const jobs = createProcessJobStarter(jobConfig(options, log));
  const agents = new Map((await loadAgents(root('shared/agents'))).map((agent) => [agent.name, agent]));
  const prompts = await loadPrompts(root('shared/prompts'));
  const hosts = codeHosts(config, log);
  const policy = policyOf(config, baseUrl);
  const settings = createSettings({ store, clock, log, policy });
  const circuits = createCircuits({
    store,
    clock,
    log,
    settings,
    provider: access.provider,
    defaultTenant: policy.defaultTenant,
  });
  const ports: Ports = {
    store,
    queue,
    blobs: createFileBlobs({ directory: join(dataFolder, 'blobs'), baseUrl, secret: blobSecret, clock }),
    clock,
    ids: createRandomIds(),
    log,
    model: createAnthropicModel({ ...access, log }),
    jobs,
    codeHost: ({ host }) => hosts(host),
    agents,
    work: options.work ?? createWorker({ roster: { agents, prompts }, clock, redact }),
    policy,
    memory: createProcessMemory(),
    settings,
    circuits,
    host: randomUUID(),
  };
  return {
    ports: options.decorate?.(ports) ?? ports,
    identity: createLocalIdentity({
      tenant: config.PENSTOCK_TENANT,
      ...(config.PENSTOCK_TOKEN === undefined ? {} : { token: config.PENSTOCK_TOKEN }),
    }),
    gateway: createMessagesGateway(access),
    webhookSecrets: [config.GITHUB_WEBHOOK_SECRET, config.GITHUB_WEBHOOK_SECRET_PREVIOUS].filter(
      (secret) => secret !== undefined,
    ),
    queue,
    store,
    jobs,
    blobSecret,
    dataFolder,
    close: async () => {
      await queue.stop();
      await jobs.stop();
      await queue.close();
      await store.close();
      database.close();
    },
  };
}

function policyOf(config: Config, baseUrl: string): Policy {
  return {
    version: readVersion(),
    defaultBudgetMicroUsd: Math.round(config.PENSTOCK_BUDGET_USD * 1e6),
    autoApproveMicroUsd: 5_000_000,
    autoApproveTasks: 20,
    maxPlanTasks: config.PENSTOCK_MAX_PLAN_TASKS,
    maxPlanDepth: config.PENSTOCK_MAX_PLAN_DEPTH,
    maxAttempts: 3,
    pools: { core: LOCAL_POOL, specialist: LOCAL_POOL, assessment: LOCAL_POOL },
    retryBaseMs: config.PENSTOCK_RETRY_BASE_SECONDS * 1_000,
    retryCapMs: 60_000,
    leaseMs: config.PENSTOCK_LEASE_SECONDS * 1_000,
    renewEveryMs: config.PENSTOCK_RENEW_SECONDS * 1_000,
    startByJobMs: config.PENSTOCK_START_SECONDS * 1_000,
    functionLaneLimitMs: 9 * 60_000,
    wrapUpMs: 60_000,
    maxFixRounds: 3,
    localRepositories: true,
    unknownInstallations: 'bind',
    defaultTenant: config.PENSTOCK_TENANT,
    publicUrl: config.PENSTOCK_PUBLIC_URL ?? baseUrl,
  };
}

function readVersion(): string {
  const text = readFileSync(root('package.json'), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? '0.0.0';
}

/** A job gets what it needs to reach the platform and to run programs, and nothing else of this process. */
function jobConfig({ config, baseUrl, jobProgram }: LocalRuntimeOptions, log: Log) {
  return {
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      jobProgram ?? root('functions/agent-job/main.ts'),
    ],
    environment: {
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
      // Reading TypeScript and compiling it is half of what a job's start costs; this keeps the result.
      NODE_COMPILE_CACHE: root('node_modules/.cache/penstock'),
      PENSTOCK_ATTEMPTS_URL: baseUrl,
      PENSTOCK_DATA: config.PENSTOCK_DATA,
      PENSTOCK_SANDBOX: config.PENSTOCK_SANDBOX,
      PENSTOCK_UNSAFE_NO_SANDBOX: config.PENSTOCK_UNSAFE_NO_SANDBOX,
    },
    logFolder: join(config.PENSTOCK_DATA, 'jobs'),
    maxJobs: config.PENSTOCK_MAX_JOBS,
    graceMs: JOB_GRACE_MS,
    log,
  };
}

function codeHosts(config: Config, log: Log): (host: 'github' | 'local-git') => CodeHost {
  const localGit = createLocalGitCodeHost();
  let github: CodeHost | undefined;
  return (host) => {
    if (host === 'local-git') return localGit;
    const { GITHUB_APP_ID: appId, GITHUB_PRIVATE_KEY: privateKey } = config;
    if (appId === undefined || privateKey === undefined) {
      throw new PenstockError(
        'config',
        'GitHub is not set up: set GITHUB_APP_ID and GITHUB_PRIVATE_KEY of your GitHub App',
      );
    }
    github ??= createGithubCodeHost({ appId: Number(appId), privateKey, apiUrl: config.GITHUB_API_URL, log });
    return github;
  };
}

/** Made once per data folder, so that signed URLs outlive a restart. */
function readSecret(file: string): string {
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  return readFileSync(file, 'utf8');
}
