import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Github } from '../github/github-driver.ts';
import { judgeRecords } from './judge-records.ts';
import type { Bill } from './recording-model.ts';

const execute = promisify(execFile);

export interface Verdict {
  /** Empty: all is as it must be. */
  problems: string[];
  /** For people: what was found. */
  facts: string[];
}

export interface Evidence {
  github: Github;
  repository: string;
  issue: number;
  bill: Bill;
  dataFolder: string;
  /** The tests of the base were seen red before. */
  isBaseKnown: boolean;
}

/** Judges what a run left behind: by the stand-in, by git and by the model's own bill; only then by the platform's records. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const outside = await judgeOutside(evidence);
  const records = await judgeRecords(evidence.dataFolder, evidence.bill);
  return { problems: [...outside, ...records.problems], facts: records.facts };
}

async function judgeOutside({ github, repository, issue, isBaseKnown }: Evidence): Promise<string[]> {
  const branches = await git(
    github.gitDirectory(repository),
    'for-each-ref',
    '--format=%(refname:short)',
    'refs/heads/penstock/',
  );
  const [branch, ...otherBranches] = branches.split('\n').filter((line) => line !== '');
  if (branch === undefined || otherBranches.length > 0)
    return [`branches of runs: ${branches === '' ? 'none' : branches}; one is due`];
  const run = branch.slice('penstock/'.length);
  return [
    ...(await judgeCommit(github.gitDirectory(repository), branch, run)),
    ...(isBaseKnown ? [] : await judgeBase(github.gitDirectory(repository))),
    ...(await judgePullRequest(github, repository, branch)),
    ...(await judgeComments(github, repository, issue, run)),
    ...(await judgeCheckRun(github, repository, run)),
  ];
}

async function judgeCommit(directory: string, branch: string, run: string): Promise<string[]> {
  const commits = (await git(directory, 'rev-list', `main..${branch}`))
    .split('\n')
    .filter((line) => line !== '');
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

async function judgeBase(directory: string): Promise<string[]> {
  return (await areTestsGreen(directory, 'main'))
    ? ['the tests of the base are green: nothing had to be done']
    : [];
}

async function judgePullRequest(github: Github, repository: string, branch: string): Promise<string[]> {
  const pulls = await github.pullRequests(repository);
  const [pull] = pulls;
  if (pull === undefined || pulls.length > 1) return [`${pulls.length} pull requests; one is due`];
  const head = (await github.branches(repository))[branch];
  return [
    ...(pull.draft || pull.state !== 'open'
      ? [`the pull request is ${pull.state}${pull.draft ? ' and a draft' : ''}`]
      : []),
    ...(pull.head.ref === branch && pull.head.sha === head
      ? []
      : [`the pull request is of ${pull.head.ref} at ${pull.head.sha}, not ${head ?? ''}`]),
  ];
}

async function judgeComments(
  github: Github,
  repository: string,
  issue: number,
  run: string,
): Promise<string[]> {
  const comments = await github.comments(repository, issue);
  const own = comments.filter(({ user }) => user.type === 'Bot');
  const [comment] = own;
  if (comment === undefined || own.length > 1) return [`${own.length} comments of the App; one is due`];
  return [
    ...(comment.body.includes(`<!-- penstock:run:${run} -->`)
      ? []
      : ['the comment has no marker of the run']),
    ...(comment.body.startsWith('### Done.') ? [] : [`the comment says ${comment.body.slice(0, 200)}`]),
  ];
}

async function judgeCheckRun(github: Github, repository: string, run: string): Promise<string[]> {
  const checks = await github.checkRuns(repository);
  const [check] = checks;
  if (check === undefined || checks.length > 1) return [`${checks.length} check runs; one is due`];
  const isSettled =
    check.status === 'completed' && check.conclusion === 'success' && check.external_id === `penstock:${run}`;
  return isSettled
    ? []
    : [`the check run is ${check.status} ${check.conclusion ?? ''} for ${check.external_id}`];
}

async function git(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('git', ['-C', directory, ...args]);
  return stdout.trim();
}

/** The repository's own tests, read back from git into an empty folder. */
async function areTestsGreen(directory: string, ref: string): Promise<boolean> {
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
