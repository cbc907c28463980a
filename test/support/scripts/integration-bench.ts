import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Script } from '../../../shared/adapters/script/script-file.ts';
import { type ScriptServer, startScriptServer } from '../../../shared/adapters/script/script-server.ts';
import type { PlanProposal } from '../../../shared/messages/plan.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { Github } from '../github/github-driver.ts';
import {
  openLabelledIssue,
  patience,
  PERSON,
  type Platform,
  type PlatformOptions,
  startGithubWith,
  startPlatform,
} from '../platform.ts';

const execute = promisify(execFile);

/** A platform with a scripted model, a stand-in of GitHub where files are given, and what a test wants to know of them. */
export interface IntegrationBench {
  platform: Platform;
  model: ScriptServer;
  github: Github;
  repository: string;
  git(...args: string[]): string;
  submit(plan: PlannedInput[], more?: object): Promise<string>;
  openIssue(title: string): Promise<{ issue: number; runId: string }>;
  task(run: string, id: string): Promise<Task>;
  branchOf(run: string): string;
  /** Calls by which the platform wrote to the repository. */
  writes(): string[];
  /** Everything that stands on GitHub besides the repository as it was. */
  written(): Promise<Written>;
  stop(): Promise<void>;
}

export interface Written {
  calls: string[];
  pullRequests: number;
  branches: string[];
}
export const NOTHING: Written = { calls: [], pullRequests: 0, branches: ['main'] };

export type PlannedInput = Pick<PlanProposal['tasks'][number], 'id' | 'agent' | 'instructions'> &
  Partial<PlanProposal['tasks'][number]>;

export async function startIntegrationBench(
  options: { script: Script; files: Record<string, string> } & Omit<PlatformOptions, 'model' | 'github'>,
): Promise<IntegrationBench> {
  const { script, files, ...rest } = options;
  const model = await startScriptServer({ script });
  const { github, repository, folder } = await startGithubWith(files);
  const platform = await startPlatform({
    ...rest,
    github,
    model: { provider: 'script', baseUrl: model.url, apiKey: 'scripted' },
  });
  github.setWebhookUrl(`${platform.url}/webhooks/github`);
  // A repository is reached through an installation that the platform knows.
  await github.announceInstallation(repository, 'created', PERSON);
  await github.webhooksSettled();
  return {
    platform,
    model,
    github,
    repository,
    git: (...args) => gitIn(github.gitDirectory(repository), ...args),
    submit: (tasks, more) => submit(platform, { repository, tasks, ...more }),
    openIssue: (title) => openLabelledIssue(github, repository, title),
    task: (run, id) => taskOf(platform, run, id),
    branchOf: (run) => `penstock/${run}`,
    writes: () => writesOf(github),
    written: async () => ({
      calls: writesOf(github),
      pullRequests: (await github.pullRequests(repository)).length,
      branches: Object.keys(await github.branches(repository)),
    }),
    stop: async () => {
      await platform.settled();
      await platform.stop();
      await github.webhooksSettled();
      await github.stop();
      await model.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function writesOf(github: Github): string[] {
  const outside = github
    .calls()
    .filter(({ path }) => path.startsWith('/repos/') || path.startsWith('/graphql'));
  return outside.map(({ method, path }) => `${method} ${path}`);
}

/** Hands in a requirement with its plan over HTTP; answers the run's id. */
export async function submit(
  platform: Platform,
  { tasks, ...body }: { repository: string; tasks: PlannedInput[]; budgetUsd?: number },
): Promise<string> {
  const answer = await platform.post('/api/requirements', {
    requirement: 'A change for a test',
    plan: { tasks },
    ...body,
  });
  if (answer.status !== 202) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return String(answer.body['runId']);
}

export async function taskOf(platform: Platform, run: string, id: string): Promise<Task> {
  const found = (await platform.tasks(run)).find((task) => task.id === id);
  if (found === undefined) throw new Error(`run ${run} has no task ${id}`);
  return found;
}

export function gitIn(directory: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@localhost'];
  return execFileSync('git', [...identity, ...args], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd();
}

/** Exit code of a repository's own tests at a branch, in a folder that holds nothing else. */
export async function testsAt(directory: string, branch: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-readback-'));
  try {
    await execute('git', ['clone', '-q', '--no-local', '--branch', branch, directory, folder]);
    await execute(process.execPath, ['--test', '--test-isolation=none'], { cwd: folder });
    return 0;
  } catch (error) {
    return (error as { code?: number }).code ?? -1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves once `holds` answers true; throws what it waited for. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = patience(120_000),
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
