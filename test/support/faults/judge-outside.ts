import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CheckRunView, CommentView, Github, PullRequestView } from '../github/github-driver.ts';

const execute = promisify(execFile);

/** Where a run was asked for, and how it ended. */
export interface OutsideEvidence {
  github: Github;
  repository: string;
  issue: number;
  run: string;
  hasSucceeded: boolean;
}

/** What a run left outside, by the stand-in and by git: nothing twice; and where it succeeded, all of it. */
export async function judgeOutside(evidence: OutsideEvidence): Promise<string[]> {
  const { github, repository, issue } = evidence;
  const comments = (await github.comments(repository, issue)).filter(({ user }) => user.type === 'Bot');
  return [
    ...(await judgeBranch(evidence)),
    ...judgePullRequest(evidence, await github.pullRequests(repository), await github.branches(repository)),
    ...judgeComment(evidence, comments),
    ...judgeCheckRun(evidence, await github.checkRuns(repository)),
  ];
}

/** What there may be at most one of. `undefined`: none is there and none is due. */
function theOne<T>(all: T[], what: string, isDue: boolean): { one: T } | { problems: string[] } {
  const [one] = all;
  if (all.length === 1 && one !== undefined) return { one };
  if (all.length === 0 && !isDue) return { problems: [] };
  return { problems: [`${all.length} ${what}; one is due`] };
}

async function judgeBranch({ github, repository, run, hasSucceeded }: OutsideEvidence): Promise<string[]> {
  const names = Object.keys(await github.branches(repository)).filter((name) => name.startsWith('penstock/'));
  const found = theOne(names, 'branches of runs', hasSucceeded);
  if ('problems' in found) return found.problems;
  if (found.one !== `penstock/${run}`) return [`the branch is ${found.one}, the run ${run}`];
  return judgeCommit(github.gitDirectory(repository), found.one, run);
}

async function judgeCommit(directory: string, branch: string, run: string): Promise<string[]> {
  const commits = (await git(directory, 'rev-list', `main..${branch}`)).split('\n').filter(Boolean);
  const message = await git(directory, 'log', '-1', '--format=%B', branch);
  const parent = await git(directory, 'rev-parse', `${branch}^`);
  const base = await git(directory, 'rev-parse', 'main');
  return [
    ...(commits.length === 1 ? [] : [`${commits.length} commits on ${branch}; one is due`]),
    ...(message.includes(`Penstock-Change: ${run}/integrate-1`)
      ? []
      : [`the commit has no trailer of ${run}: ${message}`]),
    ...(parent === base ? [] : [`the commit stands on ${parent}, not on the base ${base}`]),
    ...((await areTestsGreen(directory, branch)) ? [] : [`the tests of ${branch} are red`]),
  ];
}

function judgePullRequest(
  { run, hasSucceeded }: OutsideEvidence,
  pulls: PullRequestView[],
  branches: Record<string, string>,
): string[] {
  const found = theOne(pulls, 'pull requests', hasSucceeded);
  if ('problems' in found) return found.problems;
  const { state, draft, head } = found.one;
  const branch = `penstock/${run}`;
  return [
    ...(state === 'open' && draft !== hasSucceeded
      ? []
      : [`the pull request is ${state}${draft ? ' and a draft' : ''}`]),
    ...(head.ref === branch && head.sha === branches[branch]
      ? []
      : [`the pull request is of ${head.ref} at ${head.sha}, not ${branches[branch] ?? ''}`]),
  ];
}

function judgeComment({ run, hasSucceeded }: OutsideEvidence, comments: CommentView[]): string[] {
  const found = theOne(comments, 'comments of the App', true);
  if ('problems' in found) return found.problems;
  const { body } = found.one;
  const head = hasSucceeded ? '### Done.' : '### Failed';
  return [
    ...(body.includes(`<!-- penstock:run:${run} -->`) ? [] : ['the comment has no marker of the run']),
    ...(body.startsWith(head) ? [] : [`the comment says ${body.slice(0, 200)}`]),
  ];
}

function judgeCheckRun({ run, hasSucceeded }: OutsideEvidence, checks: CheckRunView[]): string[] {
  const found = theOne(checks, 'check runs', hasSucceeded);
  if ('problems' in found) return found.problems;
  const { status, conclusion, external_id: externalId } = found.one;
  const isSettled = status === 'completed' && conclusion === (hasSucceeded ? 'success' : 'failure');
  return isSettled && externalId === `penstock:${run}`
    ? []
    : [`the check run is ${status} ${conclusion ?? ''} for ${externalId}`];
}

async function git(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('git', ['-C', directory, ...args]);
  return stdout.trim();
}

/** The repository's own tests, read back from git into an empty folder. */
export async function areTestsGreen(directory: string, ref: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-readback-'));
  try {
    await execute('git', ['clone', '-q', '--no-local', '--branch', ref, directory, folder]);
    const env = { PATH: process.env['PATH'] };
    return await execute(process.execPath, ['--test'], { cwd: folder, env }).then(
      () => true,
      () => false,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
