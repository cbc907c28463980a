import { describe, expect, it } from '@jest/globals';
import { createGithubCodeHost } from '../../shared/adapters/github/github-code-host.ts';
import { createPinoLog } from '../../shared/adapters/local/pino-log.ts';
import type { RepositoryRef } from '../../shared/ports/code-host.ts';
import { callsOfARun } from '../support/faults/calls-of-a-run.ts';
import type { Fault } from '../support/faults/fault.ts';
import { type Evidence, judge } from '../support/faults/judge.ts';
import { areTestsGreen } from '../support/faults/judge-outside.ts';
import { type Played, playSchedule } from '../support/faults/play-schedule.ts';
import { reportOf } from '../support/faults/report.ts';
import { killSchedules, type Schedule, scheduleOf } from '../support/faults/schedule.ts';

/** Which faults: always the same here, so that a change is judged by itself; `npm run faults` plays others, and many more. */
const SEED = Number(process.env['PENSTOCK_SEED'] ?? 4);
const KILLS = 5;
const SCHEDULES = 2;
const AT_ONCE = 2;
/** Other tests run beside it. */
const PATIENCE = 2;
const ONE_MS = 12 * 60_000;

/** Plays all, `AT_ONCE` at a time, also after a failure. */
async function playAll(schedules: Schedule[]): Promise<Played[]> {
  const left = [...schedules];
  const played: Played[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      played.push(await playSchedule(next, { keepsProblems: true, patience: PATIENCE }));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return played;
}

const reportsOf = (played: Played[]): string[] =>
  played.filter(({ problems }) => problems.length > 0).map((one) => reportOf(one));

/** By hand what a platform that looks for nothing would do: each of these once more. */
async function doTwice(evidence: Evidence): Promise<void> {
  const { github, repository: name, issue, records } = evidence;
  const { app, url } = github;
  const log = createPinoLog({ level: 'SILENT' });
  const host = createGithubCodeHost({ appId: app.id, privateKey: app.privateKey, apiUrl: url, log });
  const target = records.runs[0]?.targets[0];
  if (target === undefined) throw new Error('the run has no target');
  const repository: RepositoryRef = { ...target, repository: name };
  const head = (await host.readBranch(repository, target.headBranch)) ?? '';
  const change = { parent: head, message: 'Once more', changes: [] };
  await host.advanceBranch(repository, target.headBranch, await host.writeCommit(repository, change));
  await host.createComment(repository, issue, 'once more');
  await host.createCheckRun(repository, {
    name: 'Penstock',
    headSha: head,
    externalId: 'penstock:other',
    status: 'completed',
    conclusion: 'success',
    title: 'once more',
    summary: '',
  });
  await host.createBranch(repository, 'other', await host.writeCommit(repository, change));
  await host.createPullRequest(repository, {
    headBranch: 'other',
    baseBranch: 'main',
    title: 'once more',
    body: '',
  });
}

describe(`a run on which everything may break (PENSTOCK_SEED=${SEED})`, () => {
  it(
    'ends well where nothing does; the judge sees what is done twice, and the schedules name the calls that it makes',
    async () => {
      let after: string[] = [];
      let isBaseGreen = true;
      const inspect = async (evidence: Evidence): Promise<void> => {
        isBaseGreen = await areTestsGreen(evidence.github.gitDirectory(evidence.repository), 'main');
        await doTwice(evidence);
        const stragglers = ['a job still runs as process group 1'];
        after = (await judge({ ...evidence, stragglers })).problems;
      };
      const { problems, calls } = await playSchedule(
        { seed: SEED, on: 'local', driver: 'requirement', faults: [] },
        { inspect, patience: PATIENCE },
      );
      expect(problems).toEqual([]);
      expect(isBaseGreen).toBe(false);
      for (const due of [
        /^2 commits on penstock\//,
        /^2 pull requests; one is due$/,
        /^2 comments of the App; one is due$/,
        /^2 check runs; one is due$/,
        /^a job still runs/,
      ])
        expect(after).toContainEqual(expect.stringMatching(due));
      const made = new Set(calls.map(({ process, call }) => `${process}: ${call}`));
      const named = Object.entries(callsOfARun.local.requirement).flatMap(([process, names]) =>
        Object.keys(names).map((call) => `${process}: ${call}`),
      );
      // A short job may end before its first heartbeat.
      expect(named.filter((call) => !made.has(call) && !call.endsWith('/renew'))).toEqual([]);
    },
    ONE_MS,
  );

  it(
    `survives ${KILLS} kills of the platform or a job, at any call of any port`,
    async () => {
      const played = await playAll(killSchedules(SEED, KILLS, 'local'));
      expect(reportsOf(played)).toEqual([]);
      // Timers make a run's calls differ a little from another's: a few may not be reached.
      expect(played.filter(({ fired }) => fired.length > 0).length).toBeGreaterThan(KILLS / 2);
    },
    ONE_MS * KILLS,
  );

  it(
    `survives ${SCHEDULES} schedules of faults of any kinds`,
    async () => {
      const schedules = Array.from({ length: SCHEDULES }, (_, index) => scheduleOf(SEED + index, 'local'));
      const played = await playAll(schedules);
      expect(reportsOf(played)).toEqual([]);
    },
    ONE_MS * SCHEDULES,
  );

  it(
    'leaves two comments where it cannot look up what it did, and the judge sees it',
    async () => {
      const at = { process: 'host', call: 'codeHost.createComment', nth: 1 };
      const faults: Fault[] = [{ kind: 'kill', when: 'after', ...at }];
      const schedule: Schedule = { seed: SEED, on: 'local', driver: 'direct', faults };
      const { problems } = await playSchedule(schedule, { isBlind: true, patience: PATIENCE });
      expect(problems).toContain('2 comments of the App; one is due');
    },
    ONE_MS,
  );
});
