import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateRepositories, withContract } from '../generate-repository.ts';
import type { Github } from '../github/github-driver.ts';
import { githubEnvironment, PERSON, startGithubWith } from '../platform.ts';
import {
  callsFile,
  crashedFile,
  type CrashOrders,
  type CrashPoint,
  type RecordedCall,
} from './crash-point.ts';
import { type HostProcess, reservePort, startHostProcess } from './host-process.ts';
import { judge, type Verdict } from './judge.ts';
import { type RecordingModel, type ServedCall, startRecordingModel } from './recording-model.ts';

/** From the label to the end, a crash and the waits for leases included. */
const RUN_TIMEOUT_MS = 120_000;
const IDLE_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
/** A minus for a plus: the rules' first edit is the right one. */
const REPOSITORY = generateRepositories(7, 1)[0];

export interface CrashRun extends Verdict {
  folder: string;
  crashed: boolean;
  calls: RecordedCall[];
  served: ServedCall[];
  durationMs: number;
}

export interface CrashRunOptions {
  point?: CrashPoint;
  /** Negative control: the platform cannot look up what it wrote. */
  isBlind?: boolean;
  /** The same scenario without a crash: what calls cost that never reached the model. */
  whole?: Pick<CrashRun, 'served'>;
}

/** One labelled issue, carried to its end through one crash; what was left behind is judged. */
export async function crashRun({ point, isBlind = false, whole }: CrashRunOptions = {}): Promise<CrashRun> {
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'penstock-crash-'));
  const model = await startRecordingModel();
  const stand = await startGithubWith(withContract(REPOSITORY?.files ?? {}), 'sums');
  const world: World = { ...stand, folder, model, port: await reservePort(), isBlind };
  let host = startHost(world, point);
  try {
    const issue = await begin(world);
    const late = await carryOn(world, issue, host, (next) => {
      host = next;
    });
    await host.stop();
    const { served } = model;
    const bill = { served, expected: whole?.served ?? served };
    const verdict = await judge({
      ...world,
      issue,
      bill,
      dataFolder: dataOf(folder),
      isBaseKnown: whole !== undefined,
    });
    const problems = [...late, ...verdict.problems];
    const crashed = existsSync(crashedFile(folder));
    const calls = await readCalls(folder);
    return {
      folder,
      ...verdict,
      problems,
      crashed,
      calls,
      served,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await host.stop();
    endJobs(folder);
    await stand.github.stop();
    await model.stop();
    // Set to look at logs, records and repositories afterwards.
    if (process.env['PENSTOCK_KEEP'] === undefined) {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      await rm(stand.folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

interface World {
  folder: string;
  model: RecordingModel;
  github: Github;
  repository: string;
  port: number;
  isBlind: boolean;
}

const dataOf = (folder: string): string => join(folder, 'data');

function startHost(world: World, point?: CrashPoint): HostProcess {
  const orders: CrashOrders = { folder: world.folder, point };
  const env = {
    ...githubEnvironment(world.github),
    PORT: String(world.port),
    LOG_LEVEL: 'INFO',
    PENSTOCK_DATA: dataOf(world.folder),
    // Short, for who waits for them after a crash; long enough for a job's start on a machine that is busy with other tests.
    PENSTOCK_LEASE_SECONDS: '8',
    PENSTOCK_RENEW_SECONDS: '1',
    PENSTOCK_START_SECONDS: '10',
    PENSTOCK_SWEEP_SECONDS: '0.3',
    PENSTOCK_RETRY_BASE_SECONDS: '0.1',
    NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/penstock', import.meta.url)),
    PENSTOCK_TEST_MODEL: world.model.url,
    PENSTOCK_TEST_CRASH: JSON.stringify(orders),
    PENSTOCK_TEST_BLIND: world.isBlind ? '1' : '0',
  };
  return startHostProcess(env, join(world.folder, 'host.log'));
}

async function begin({ github, repository, port }: World): Promise<number> {
  github.setWebhookUrl(`http://127.0.0.1:${port}/webhooks/github`);
  const { number } = await github.openIssue({
    repository,
    title: 'Make the failing tests pass',
    author: PERSON,
  });
  return number;
}

/** What an operator and GitHub do until all is quiet: a dead host is started again, an unanswered delivery is delivered again. */
async function carryOn(
  world: World,
  issue: number,
  first: HostProcess,
  onRestart: (host: HostProcess) => void,
): Promise<string[]> {
  const { github, repository } = world;
  const deadline = performance.now() + RUN_TIMEOUT_MS;
  let host = first;
  let isReady = (await host.ready) === 'ready';
  await github.label({ repository, issue, label: 'penstock', actor: PERSON });
  while (performance.now() < deadline) {
    if (host.hasExited()) {
      host = startHost(world);
      onRestart(host);
      isReady = (await host.ready) === 'ready';
    }
    if (isReady) redeliverLost(github);
    // What is still to be delivered may do something outside, or die of it.
    if ((await hasEndedOutside(world, issue)) && (await host.idle(IDLE_TIMEOUT_MS))) return [];
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return [`after ${RUN_TIMEOUT_MS} ms the run had not ended, or messages were left to deliver`];
}

function redeliverLost(github: Github): void {
  const byGuid = Map.groupBy(github.deliveries(), ({ guid }) => guid);
  for (const tries of byGuid.values()) {
    const isSettled = tries.some(
      ({ status, status_code: code }) => status === 'pending' || (code >= 200 && code < 300),
    );
    if (!isSettled && tries[0] !== undefined) github.redeliver(tries[0].id);
  }
}

/** The last things that a run does outside: its check run is settled and its comment says how it ended. */
async function hasEndedOutside({ github, repository }: World, issue: number): Promise<boolean> {
  const comments = await github.comments(repository, issue);
  if (!comments.some(({ body }) => /^### (Done|Failed|Cancelled)/.test(body))) return false;
  const checks = await github.checkRuns(repository);
  return checks.every(({ status }) => status === 'completed');
}

async function readCalls(folder: string): Promise<RecordedCall[]> {
  const text = await readFile(callsFile(folder), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RecordedCall]));
}

/** Jobs are process groups of their own and outlive a killed host. */
function endJobs(folder: string): void {
  const pids = join(folder, 'pids');
  if (!existsSync(pids)) return;
  for (const name of readdirSync(pids)) {
    if (!isOurJob(name)) continue;
    try {
      process.kill(-Number(name), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** A number may belong to somebody else by now. */
function isOurJob(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('crash/job.ts');
  } catch {
    return false;
  }
}
