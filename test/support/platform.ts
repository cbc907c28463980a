import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHost, type LocalHost } from '../../functions/local/host.ts';
import { refs } from '../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import type { Ports, Worker } from '../../shared/core/ports.ts';
import type { Task } from '../../shared/core/task.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import type { ModelAccess } from '../../shared/runtime/local.ts';
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

/** The platform as `penstock up` composes it, in this process, on a folder of its own. */
export interface Platform {
  host: LocalHost;
  url: string;
  ports: Ports;
  folder: string;
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  run(id: string): Promise<Run>;
  tasks(id: string): Promise<Task[]>;
  /** The run once it has ended; throws after `timeoutMs` with where it stands. */
  ended(id: string, timeoutMs?: number): Promise<Run>;
  stop(): Promise<void>;
}

const NO_MODEL: ModelAccess = { provider: 'script', baseUrl: 'http://127.0.0.1:9', apiKey: 'none' };

export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'penstock-test-')));
  const config = readConfig({
    PATH: process.env['PATH'],
    PORT: '0',
    LOG_LEVEL: process.env['PENSTOCK_TEST_LOG'] ?? 'SILENT',
    PENSTOCK_DATA: folder,
    PENSTOCK_RETRY_BASE_SECONDS: '0.1',
    PENSTOCK_SWEEP_SECONDS: '0.3',
    ...(options.github === undefined ? {} : githubEnvironment(options.github)),
    ...options.env,
  });
  const host = await startHost({
    config,
    model: options.model ?? NO_MODEL,
    ...(options.work === undefined ? {} : { work: options.work }),
    ...(options.jobProgram === undefined ? {} : { jobProgram: options.jobProgram }),
    ...(options.decorate === undefined ? {} : { decorate: options.decorate }),
  });
  const { ports } = host.runtime;
  const run = async (id: string): Promise<Run> => {
    const found = await ports.store.get(refs.run(TENANT, id));
    if (found === undefined) throw new Error(`there is no run ${id}`);
    return found.data;
  };
  return {
    host,
    url: host.url,
    ports,
    folder,
    run,
    tasks: (id) => readTasks(ports.store, TENANT, id),
    post: (path, body, headers) => post(`${host.url}${path}`, body, headers),
    ended: (id, timeoutMs = 60_000) =>
      waitForEnd(
        () => run(id),
        () => readTasks(ports.store, TENANT, id),
        timeoutMs,
      ),
    stop: async () => {
      await host.stop();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
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
  const answer = github
    .deliveries()
    .findLast(({ event, action }) => event === 'issues' && action === 'labeled');
  const runId = /"runId":"([a-z0-9]+)"/.exec(answer?.response.payload ?? '')?.[1];
  if (runId === undefined)
    throw new Error(`the webhook started no run: ${answer?.response.payload ?? 'not delivered'}`);
  return { issue: number, runId };
}
