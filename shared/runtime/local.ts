import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createMessagesGateway } from '../adapters/anthropic/messages-gateway.ts';
import { createFileBlobs } from '../adapters/local/file-blobs.ts';
import { createLocalGitCodeHost } from '../adapters/local/local-git-code-host.ts';
import { createLocalIdentity } from '../adapters/local/local-identity.ts';
import { createLaunchedJobs } from '../adapters/local/launched-jobs.ts';
import { createPinoLog } from '../adapters/local/pino-log.ts';
import { createProcessJobStarter, type ProcessJobStarter } from '../adapters/local/process-job-starter.ts';
import type { GroupIndex } from '../adapters/local/sqlite-documents.ts';
import { openSqliteDatabase } from '../adapters/local/sqlite-database.ts';
import { createSqliteQueue, type SqliteQueue } from '../adapters/local/sqlite-queue.ts';
import { createSqliteStore, type SqliteStore } from '../adapters/local/sqlite-store.ts';
import { createSystemClock } from '../adapters/local/system-clock.ts';
import type { Ports, Worker } from '../core/ports.ts';
import type { Log } from '../ports/log.ts';
import { composePorts, policyOf, webhookSecretsOf } from './compose-ports.ts';
import type { Config } from './config.ts';
import type { Runtime } from './functions.ts';
import { githubHost } from './github-host.ts';
import { launchByWorkflow } from './launch-by-workflow.ts';
import { type LocalWorkflows, openLocalWorkflows } from './local-workflows.ts';
import { type ModelAccess, openModel } from './model-access.ts';
import { openTrace } from './open-trace.ts';
import { shippedPath } from './shipped-path.ts';
import { traceEnvironment } from './trace-config.ts';

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
  /** Holds the workflows that can drive runs. @default workflows/ of this project */
  workflowsFolder?: string;
  /** Wraps ports: faults in tests. */
  decorate?: (ports: Ports) => Ports;
}

export interface LocalRuntime extends Runtime {
  queue: SqliteQueue;
  store: SqliteStore;
  jobs: ProcessJobStarter;
  workflows: LocalWorkflows;
  blobSecret: string;
  dataFolder: string;
}

/** States that admission and the sweep look for; nearly all tasks are in others. */
const HELD = { state: ['ready', 'starting', 'running'] };
const TO_BEGIN = { state: ['pending', 'ready'] };

/** What the queries of the core need of SQLite, which also uses an index for a part of a query; Firestore's are in terraform/firestore-indexes.tf. */
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
  { group: 'tasks', scope: 'group', fields: ['tenant', 'agent', 'state'], only: HELD },
  // The sweep.
  { group: 'tasks', scope: 'group', fields: ['state', 'leaseUntil'], only: HELD },
  { group: 'tasks', scope: 'group', fields: ['state', 'held', 'notBefore'], only: TO_BEGIN },
  { group: 'tasks', scope: 'group', fields: ['state', 'held', 'notBefore', 'tenant'], only: TO_BEGIN },
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
  { group: 'runs', scope: 'collection', fields: ['stage', 'touches'] },
  { group: 'runs', scope: 'collection', fields: ['stage', 'createdAt'] },
  { group: 'deadLetters', scope: 'collection', fields: ['at'] },
  { group: 'decisions', scope: 'collection', fields: ['createdAt'] },
  { group: 'decisions', scope: 'collection', fields: ['state', 'createdAt'] },
  { group: 'decisions', scope: 'collection', fields: ['run', 'state'], only: { state: ['open'] } },
  // What a comment on an issue answers.
  { group: 'decisions', scope: 'collection', fields: ['issue', 'state'], only: { state: ['open'] } },
  // Workflows that were not reached.
  { group: 'runs', scope: 'group', fields: ['undeliveredSince'] },
  // What a project has spent and set aside this month.
  { group: 'runs', scope: 'collection', fields: ['project', 'createdAt'] },
];

/** On one machine PENSTOCK_MAX_JOBS and the deliveries at a time are the limit; a tenant's settings may set a lower one. */
const LOCAL_POOL = { min: 0, max: 64 };
const JOB_GRACE_MS = 10_000;

/** The whole system's adapters in one process: SQLite, files, child processes. */
export async function createLocalRuntime(options: LocalRuntimeOptions): Promise<LocalRuntime> {
  const { config, baseUrl, model: access } = options;
  const dataFolder = config.PENSTOCK_DATA;
  mkdirSync(dataFolder, { recursive: true });
  const trace = await openTrace(config, { service: 'penstock', log: () => log });
  const log = options.log ?? createPinoLog({ level: config.LOG_LEVEL, trace });
  const clock = createSystemClock();
  const database = openSqliteDatabase({ file: join(dataFolder, 'penstock.db'), synchronous: 'normal' });
  const store = createSqliteStore({ database, indexes: INDEXES });
  const queue = createSqliteQueue({ database, clock, log, minBackoffMs: 200, maxBackoffMs: 15_000 });
  const blobSecret = readSecret(join(dataFolder, 'blob-secret'));
  const jobs = createProcessJobStarter(jobConfig(options, log));
  const localGit = createLocalGitCodeHost();
  const github = githubHost(config, log);
  const jobWorkflow = config.PENSTOCK_JOB_WORKFLOW;
  const launched =
    jobWorkflow === undefined
      ? undefined
      : createLaunchedJobs({
          jobs,
          launch: (job) => launchByWorkflow(workflows.port, jobWorkflow)(job),
          clock,
        });
  const workflows: LocalWorkflows = openLocalWorkflows({
    folder: options.workflowsFolder ?? shippedPath('workflows'),
    dataFolder,
    baseUrl,
    token: config.PENSTOCK_TOKEN,
    log,
    ...(launched === undefined ? {} : { jobs: launched.starter }),
  });
  const ports = await composePorts({
    store,
    queue,
    blobs: createFileBlobs({ directory: join(dataFolder, 'blobs'), baseUrl, secret: blobSecret, clock }),
    clock,
    log,
    trace,
    model: openModel(access, log),
    jobs: launched?.port ?? jobs,
    workflows: workflows.port,
    codeHost: ({ host }) => (host === 'local-git' ? localGit : github()),
    policy: policyOf(config, {
      pools: { core: LOCAL_POOL, specialist: LOCAL_POOL, assessment: LOCAL_POOL },
      localRepositories: true,
      publicUrl: config.PENSTOCK_PUBLIC_URL ?? baseUrl,
      drivers: workflows.names,
    }),
    work: options.work,
  });
  return {
    ports: options.decorate?.(ports) ?? ports,
    identity: createLocalIdentity({
      tenant: config.PENSTOCK_TENANT,
      ...(config.PENSTOCK_TOKEN === undefined ? {} : { token: config.PENSTOCK_TOKEN }),
    }),
    gateway: createMessagesGateway(access),
    webhookSecrets: () => Promise.resolve(webhookSecretsOf(config)),
    queue,
    store,
    jobs,
    workflows,
    blobSecret,
    dataFolder,
    close: async () => {
      await queue.stop();
      await jobs.stop();
      await workflows.close();
      await queue.close();
      await store.close();
      database.close();
      await trace.close();
    },
  };
}

/** A job gets what it needs to reach the platform and to run programs, and nothing else of this process. */
function jobConfig({ config, baseUrl, jobProgram }: LocalRuntimeOptions, log: Log) {
  return {
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      jobProgram ?? shippedPath('functions/agent-job/main.ts'),
    ],
    environment: {
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
      // Reading TypeScript and compiling it is half of what a job's start costs; this keeps the result.
      NODE_COMPILE_CACHE: shippedPath('node_modules/.cache/penstock'),
      PENSTOCK_ATTEMPTS_URL: baseUrl,
      PENSTOCK_DATA: config.PENSTOCK_DATA,
      PENSTOCK_SANDBOX: config.PENSTOCK_SANDBOX,
      PENSTOCK_UNSAFE_NO_SANDBOX: config.PENSTOCK_UNSAFE_NO_SANDBOX,
      ...traceEnvironment(config),
    },
    logFolder: join(config.PENSTOCK_DATA, 'jobs'),
    maxJobs: config.PENSTOCK_MAX_JOBS,
    graceMs: JOB_GRACE_MS,
    log,
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
