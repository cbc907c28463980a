import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '../../../shared/core/run.ts';
import { isUnderWay } from '../../../shared/core/task.ts';
import type { Github } from '../github/github-driver.ts';
import { readAhead, setAhead } from './faulty-ports.ts';
import { countFired, countWork } from './injector.ts';
import { readRecords, type Records } from './judge-records.ts';
import type { System } from './system.ts';

export interface Carried {
  system: Pick<System, 'revive' | 'isIdle' | 'sweeps' | 'records'>;
  github: Pick<Github, 'deliveries' | 'redeliver'>;
  /** Where the clocks of all processes are set. */
  folder: string;
  patience: Patience;
}

export interface Patience {
  pollMs: number;
  /** Nothing has changed for so long: what is left waits for its time, or for ever. */
  stillMs: number;
  /** After its time has come; longer than messages wait to be delivered again. */
  stillAfterMs: number;
  /** From the label to the end; only a platform that keeps changing without ending is stopped by it. */
  runMs: number;
}

/** So many times what a machine needs that does nothing else. */
export function patienceOf(times: number): Patience {
  return { pollMs: 250, stillMs: 4_000 * times, stillAfterMs: 20_000 * times, runMs: 6 * 60_000 * times };
}

/** More than claims, leases and the times after which a sweep looks at a run. */
const JUMP_MS = 6 * 60_000;
const SWEEPS = 2;

/**
 * What an operator, GitHub and time do until all is quiet: a dead process is started again, an unanswered webhook is delivered
 * again, and when nothing moves any more the clocks are set ahead. Then two sweeps have to move it. Answers what is stuck.
 */
export async function carryOn({ system, github, folder, patience }: Carried): Promise<string[]> {
  const deadline = performance.now() + patience.runMs;
  let seen = { print: '', since: performance.now() };
  let jumpedAt: number | undefined;
  while (performance.now() < deadline) {
    await system.revive();
    redeliverLost(github);
    const records = await recordsOf(system);
    if (hasEnded(records) && (await system.isIdle())) return [];
    // What a fault has undone since, such as a message that a sweep sent, has its time once more.
    const print = `${printOf(records)}; ${countWork(folder)} calls; ${countFired(folder)} faults`;
    const stillMs = performance.now() - seen.since;
    if (print !== seen.print) {
      seen = { print, since: performance.now() };
      jumpedAt = undefined;
    } else if (!records.tasks.some(isUnderWay)) {
      if (jumpedAt === undefined && stillMs > patience.stillMs) {
        setAhead(folder, readAhead(folder) + JUMP_MS);
        jumpedAt = system.sweeps();
        seen.since = performance.now();
      } else if (
        jumpedAt !== undefined &&
        stillMs > patience.stillAfterMs &&
        system.sweeps() >= jumpedAt + SWEEPS
      ) {
        return [`stuck: ${SWEEPS} sweeps change nothing any more: ${print}`];
      }
    }
    await sleep(patience.pollMs);
  }
  return [
    `after ${patience.runMs} ms the run had not ended, or messages were left to deliver: ${seen.print}`,
  ];
}

const NOTHING: Records = { runs: [], tasks: [], effects: [], letters: [], decisions: [] };

async function recordsOf(system: Pick<System, 'records'>): Promise<Records> {
  const store = system.records();
  return store === undefined ? NOTHING : readRecords(store);
}

/** Also outside: its comment and its check run have been told. */
function hasEnded({ runs }: Records): boolean {
  return (
    runs.length > 0 && runs.every(({ stage, unsettledOutside }) => isTerminal(stage) && !unsettledOutside)
  );
}

/** What moves when a run moves; a heartbeat is no movement. */
function printOf({ runs, tasks, effects, letters }: Records): string {
  return [
    ...runs.map(({ stage, history, unsettledOutside }) => `${stage} ${history.length} ${unsettledOutside}`),
    ...tasks.map(({ id, state, attempts, history }) => `${id} ${state} ${attempts.length} ${history.length}`),
    ...effects.map(({ id, effect }) => `${id} ${effect.state} ${effect.attempts}`),
    `${letters.length} letters`,
  ].join('; ');
}

function redeliverLost(github: Carried['github']): void {
  const byGuid = Map.groupBy(github.deliveries(), ({ guid }) => guid);
  for (const tries of byGuid.values()) {
    const isSettled = tries.some(
      ({ status, status_code: code }) => status === 'pending' || (code >= 200 && code < 300),
    );
    if (!isSettled && tries[0] !== undefined) github.redeliver(tries[0].id);
  }
}
