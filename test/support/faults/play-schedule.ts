import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateRepositories, withContract } from '../generate-repository.ts';
import type { Github } from '../github/github-driver.ts';
import { githubEnvironment, PERSON, startGithubWith } from '../platform.ts';
import { carryOn, patienceOf } from './carry-on.ts';
import { startClusterSystem } from './cluster-system.ts';
import type { Fault } from './fault.ts';
import { armGithub } from './github-faults.ts';
import { firedFaults, readCalls, type RecordedCall, writeOrders } from './injector.ts';
import { type Evidence, judge, type Verdict } from './judge.ts';
import { readRecords } from './judge-records.ts';
import { startLocalSystem } from './local-system.ts';
import { startProvider } from './provider.ts';
import type { Schedule } from './schedule.ts';
import type { System } from './system.ts';

export interface Played extends Verdict {
  schedule: Schedule;
  /** Faults that came to pass. */
  fired: Fault[];
  calls: RecordedCall[];
  /** Where logs and records are, if they were kept. */
  folder: string;
  durationMs: number;
}

export interface PlayOptions {
  /** Negative control: the platform cannot look up what it wrote. */
  isBlind?: boolean;
  /** Waits so many times as long, and gives leases so much longer: for a machine that does other work too. @default 1 */
  patience?: number | undefined;
  /** Keeps logs and records where there are problems. @default false */
  keepsProblems?: boolean;
  /** Gets what is judged, while the stand-ins still stand. */
  inspect?: (evidence: Evidence) => Promise<void>;
}

/** A minus for a plus: the rules' first edit is the right one. */
const REPOSITORY = generateRepositories(7, 1)[0];
const START = { local: startLocalSystem, cluster: startClusterSystem };

/** One labelled issue, carried to its end through what the schedule breaks; what was left behind is judged. */
export async function playSchedule(schedule: Schedule, options: PlayOptions = {}): Promise<Played> {
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'penstock-faults-'));
  const cleanups: (() => Promise<unknown>)[] = [];
  let problems: string[] = [];
  try {
    const { facts, fired, ...found } = await play(schedule, { ...options, folder, cleanups });
    problems = found.problems;
    const calls = readCalls(folder);
    return { schedule, problems, facts, fired, calls, folder, durationMs: performance.now() - startedAt };
  } catch (error) {
    problems = [
      `the harness broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    ];
    const durationMs = performance.now() - startedAt;
    return { schedule, problems, facts: [], fired: [], calls: readCalls(folder), folder, durationMs };
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
    const isKept = options.keepsProblems === true && problems.length > 0;
    if (!isKept) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Stage extends PlayOptions {
  folder: string;
  cleanups: (() => Promise<unknown>)[];
}

async function play(schedule: Schedule, stage: Stage): Promise<Verdict & { fired: Fault[] }> {
  const { folder, cleanups, isBlind = false, patience = 1 } = stage;
  const orders = { folder, faults: schedule.faults };
  writeOrders(orders);
  const provider = await startProvider(schedule.faults);
  cleanups.push(() => provider.stop());
  const { github, repository } = await openGithub(cleanups);
  const firedAtGithub = armGithub(github, schedule.faults);
  const env = {
    ...githubEnvironment(github),
    PENSTOCK_BUDGET_USD: '5',
    PENSTOCK_DRIVER: schedule.driver,
  };
  const started = await START[schedule.on]({ folder, env, modelUrl: provider.url, isBlind, patience });
  cleanups.push(() => started.stop());
  const system = breaking(started, () => firedFaults(orders));
  github.setWebhookUrl(`${system.url}/webhooks/github`);
  const issue = await labelIssue(github, repository);
  const stuck = await carryOn({ system, github, folder, patience: patienceOf(patience) });
  const stragglers = await stragglersOf(system, patience * STRAGGLE_MS);
  // What is read in one turn of the event loop is read from one state, and that of the last look may be an older one.
  await sleep(POLL_MS);
  const store = system.records();
  if (store === undefined) throw new Error('the platform has left no records');
  const records = await readRecords(store);
  const evidence = { schedule, github, repository, issue, provider, records, stragglers };
  const { problems, facts } = await judge(evidence);
  await stage.inspect?.(evidence);
  const fired = new Set([...firedFaults(orders), ...provider.fired, ...firedAtGithub]);
  return {
    problems: [...stuck, ...problems],
    facts,
    fired: schedule.faults.filter((fault) => fired.has(fault)),
  };
}

async function openGithub(cleanups: Stage['cleanups']): Promise<{ github: Github; repository: string }> {
  const stand = await startGithubWith(withContract(REPOSITORY?.files ?? {}), 'sums');
  cleanups.push(() => rm(stand.folder, { recursive: true, force: true, maxRetries: 3 }));
  cleanups.push(() => stand.github.stop());
  return stand;
}

async function labelIssue(github: Github, repository: string): Promise<number> {
  const title = 'Make the failing tests pass';
  const { number: issue } = await github.openIssue({ repository, title, author: PERSON });
  await github.label({ repository, issue, label: 'penstock', actor: PERSON });
  return issue;
}

/** The same system; where the schedule says so, its emulators fail before it is looked after. */
function breaking(system: System, fired: () => Fault[]): System {
  const broken = new Set<Fault>();
  const breakDown = async (): Promise<void> => {
    for (const fault of fired()) {
      if (fault.kind !== 'emulator' || broken.has(fault)) continue;
      broken.add(fault);
      await system.breakDown(fault.how);
    }
  };
  return { ...system, revive: async () => breakDown().then(() => system.revive()) };
}

/** Jobs that have nothing to do any more learn it with their next renewal. */
const STRAGGLE_MS = 20_000;
const POLL_MS = 200;

async function stragglersOf(system: System, withinMs: number): Promise<string[]> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (system.stragglers().length === 0) return [];
    await sleep(POLL_MS);
  }
  return system.stragglers();
}
