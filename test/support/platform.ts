import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost } from '../../functions/local/host.ts';
import { refs } from '../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import type { Ports, Worker } from '../../shared/core/ports.ts';
import type { Task } from '../../shared/core/task.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import type { ModelAccess } from '../../shared/runtime/model-access.ts';
import { builtJob } from './built-programs.ts';
import { withFirestoreIndexes } from './firestore-planner.ts';
import { startGithub } from './github/start-github.ts';
import type { Github } from './github/github-driver.ts';

export const TENANT = 'local';
export const PERSON = 'dana';

export interface PlatformOptions {
  model?: ModelAccess;
  env?: Record<string, string>;
  work?: Worker;
  decorate?: (ports: Ports) => Ports;
  jobProgram?: string;
  /** Reused for a restart. @default a new one, removed by `stop` */
  folder?: string;
  github?: Github;
}

/** The platform on a folder of its own: as `penstock up` composes it, in this process, or as separate processes (`PENSTOCK_TEST_ON=cluster`). */
export interface Platform extends PlatformHost {
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  run(id: string): Promise<Run>;
  tasks(id: string): Promise<Task[]>;
  /** The run once it has ended; throws after `timeoutMs` with where it stands. */
  ended(id: string, timeoutMs?: number): Promise<Run>;
}

/** What differs by the place that the platform runs in. */
export interface PlatformHost {
  url: string;
  /** For reading records; on the cluster the functions have their own. */
  ports: Ports;
  folder: string;
  /** Resolves when the platform has nothing left to do, also outside. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const NO_MODEL: ModelAccess = { provider: 'script', baseUrl: 'http://127.0.0.1:9', apiKey: 'none' };

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'penstock-test-')));
  const host = await openHost({ model: NO_MODEL, ...options, folder, env: environmentOf(options) });
  const { ports, url } = host;
  const run = async (id: string): Promise<Run> => {
    const found = await ports.store.get(refs.run(TENANT, id));
    if (found === undefined) throw new Error(`there is no run ${id}`);
    return found.data;
  };
  const tasks = (id: string) => readTasks(ports.store, TENANT, id);
  return {
    ...host,
    run,
    tasks,
    post: (path, body, headers) => post(`${url}${path}`, body, headers),
    ended: (id, timeoutMs = patience(240_000)) =>
      waitForEnd(
        () => run(id),
        () => tasks(id),
        timeoutMs,
      ),
    stop: async () => {
      await host.stop();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function environmentOf({ github, env }: PlatformOptions): Record<string, string> {
  return {
    LOG_LEVEL: process.env['PENSTOCK_TEST_LOG'] ?? 'SILENT',
    // A workflow's driver is for tests of workflows.
    PENSTOCK_DRIVER: 'direct',
    PENSTOCK_RETRY_BASE_SECONDS: '0.1',
    PENSTOCK_SWEEP_SECONDS: '0.3',
    ...(github === undefined ? {} : githubEnvironment(github)),
    ...env,
  };
}

export type HostedOptions = PlatformOptions & Required<Pick<PlatformOptions, 'model' | 'folder' | 'env'>>;

async function openHost(options: HostedOptions): Promise<PlatformHost> {
  if (!isOnCluster()) return openLocalHost(options);
  // Not read by the tests of one process.
  const { openClusterHost } = await import('./cluster/cluster-host.ts');
  return openClusterHost(options);
}

async function openLocalHost(options: HostedOptions): Promise<PlatformHost> {
  const { model, folder, env, work, jobProgram = builtJob(), decorate } = options;
  const host = await startHost({
    config: readConfig({ PATH: process.env['PATH'], PORT: '0', PENSTOCK_DATA: folder, ...env }),
    model,
    ...(work === undefined ? {} : { work }),
    ...(jobProgram === undefined ? {} : { jobProgram }),
    decorate: (ports) => {
      const checked = { ...ports, store: withFirestoreIndexes(ports.store) };
      return decorate?.(checked) ?? checked;
    },
  });
  const { ports, queue } = host.runtime;
  return { url: host.url, ports, folder, settled: () => queue.idle(), stop: () => host.stop() };
}

export function isOnCluster(): boolean {
  return process.env['PENSTOCK_TEST_ON'] === 'cluster';
}

/** How long a test waits for what takes so long in one process: on the cluster each function begins with reading its libraries. */
export function patience(timeoutMs: number): number {
  return isOnCluster() ? 4 * timeoutMs : timeoutMs;
}

/** A `describe` or `it` of what reaches into the platform's process, or is for local mode only: on the cluster it is skipped aloud. */
export function inProcess<T extends object>(block: T, reason: string): T {
  if (!isOnCluster()) return block;
  process.stderr.write(`skipped on the cluster: ${reason}\n`);
  return 'skip' in block ? (block.skip as T) : block;
}

export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function waitForEnd(
  read: () => Promise<Run>,
  tasks: () => Promise<Task[]>,
  timeoutMs: number,
): Promise<Run> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const run = await read();
    if (isTerminal(run.stage)) return run;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const run = await read();
  const states = (await tasks()).map(
    (task) => `${task.id}: ${task.state} ${task.attempts.at(-1)?.exit?.message ?? ''}`,
  );
  throw new Error(`run ${run.id} is still ${run.stage} after ${timeoutMs} ms\n${states.join('\n')}`);
}

export function githubEnvironment(github: Github): Record<string, string> {
  return {
    GITHUB_API_URL: github.url,
    GITHUB_APP_ID: String(github.app.id),
    GITHUB_PRIVATE_KEY: github.app.privateKey,
    GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
  };
}

/** A stand-in with one repository that a person with write permission opens issues on. */
export async function startGithubWith(
  files: Record<string, string>,
  name = 'todo',
): Promise<{ github: Github; repository: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-github-'));
  const github = await startGithub({ directory: folder });
  const { repository } = await github.addRepository({ owner: 'acme', name, files });
  github.addUser(PERSON);
  github.setPermission(repository, PERSON, 'write');
  return { github, repository, folder };
}

const REDELIVERIES = 5;

/**
 * The delivery of the label. GitHub gives a hook 10 seconds, which a process that has to start may need alone on a busy machine; then
 * it is delivered again, as a person can have it.
 */
async function answeredInTime(github: Github): Promise<ReturnType<Github['deliveries']>[number] | undefined> {
  const last = () =>
    github.deliveries().findLast(({ event, action }) => event === 'issues' && action === 'labeled');
  for (let tries = 0; tries < REDELIVERIES; tries += 1) {
    const delivery = last();
    if (delivery?.status !== 'timed out') return delivery;
    github.redeliver(delivery.id);
    await github.webhooksSettled();
  }
  return last();
}

/** Opens a labelled issue and gives the run that the webhook started. */
export async function openLabelledIssue(
  github: Github,
  repository: string,
  title: string,
  body = '',
): Promise<{ issue: number; runId: string }> {
  const { number } = await github.openIssue({ repository, title, body, author: PERSON });
  await github.label({ repository, issue: number, label: 'penstock', actor: PERSON });
  await github.webhooksSettled();
  const answer = await answeredInTime(github);
  const runId = /"runId":"([a-z0-9]+)"/.exec(answer?.response.payload ?? '')?.[1];
  if (runId === undefined)
    throw new Error(`the webhook started no run: ${answer?.response.payload ?? 'not delivered'}`);
  return { issue: number, runId };
}
