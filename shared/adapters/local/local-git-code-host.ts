import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CodeHost, RepositoryRef } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { readGit, runGit } from './git-command.ts';
import {
  findEntry,
  isAncestor,
  isSha,
  listTree,
  readBranchRef,
  readCommitObject,
  readHead,
} from './git-objects.ts';
import { IDENTITY, writeCommitObject } from './git-write-commit.ts';

export interface LocalGitCodeHostConfig {
  /** Checkouts outside this folder are refused. @default any checkout that this user can read */
  allowedRoot?: string;
}

const NO_OBJECT = '0'.repeat(40);

/**
 * Any checkout on disk as a code host: reads its objects, writes objects and branches, and touches neither its
 * working tree nor its index, HEAD or configuration. It has no pull requests: the result is a branch.
 */
export function createLocalGitCodeHost(config: LocalGitCodeHostConfig = {}): CodeHost {
  const at = (repository: RepositoryRef): Promise<string> => resolveExisting(repository, config);
  return {
    host: 'local-git',
    hasPullRequests: false,
    ...reads(config, at),
    ...writes(at),
    ...withoutPullRequests(),
    readCi: () => Promise.resolve({ state: 'none', failures: [], pending: [] }),
  };
}

type Reads = Pick<
  CodeHost,
  | 'defaultBranch'
  | 'readBranch'
  | 'readCommit'
  | 'readTree'
  | 'readFile'
  | 'permission'
  | 'diff'
  | 'cloneAccess'
>;

function reads(config: LocalGitCodeHostConfig, at: (repository: RepositoryRef) => Promise<string>): Reads {
  return {
    async defaultBranch(repository) {
      const cwd = await resolveCheckout(repository, config);
      const head = cwd === undefined ? undefined : await readHead(cwd);
      return head?.branch ?? head?.sha;
    },
    async readBranch(repository, branch) {
      const cwd = await resolveCheckout(repository, config);
      if (cwd === undefined) return undefined;
      // On a detached checkout the name that defaultBranch gave is a SHA.
      return (await readBranchRef(cwd, branch)) ?? (await readCommitObject(cwd, branch))?.sha;
    },
    async readCommit(repository, sha) {
      const cwd = await resolveCheckout(repository, config);
      return cwd === undefined ? undefined : readCommitObject(cwd, sha);
    },
    async readTree(repository, sha, limit) {
      return listTree(await at(repository), await existingCommit(await at(repository), sha), limit);
    },
    async readFile(repository, sha, path, maxBytes) {
      const cwd = await resolveCheckout(repository, config);
      if (cwd === undefined || (await readCommitObject(cwd, sha)) === undefined) return undefined;
      const found = path === '' ? undefined : await findEntry(cwd, sha, path);
      if (found === undefined || !found.entry.mode.startsWith('100')) return undefined;
      if (maxBytes === 0) return new Uint8Array();
      const limits = { maxOutputBytes: maxBytes, overflow: 'cut' as const };
      return (await runGit(['cat-file', 'blob', found.object], { cwd, ...limits })).stdout;
    },
    // Who can run the command on this checkout can write to it anyway.
    permission: async () => Promise.resolve('admin' as const),
    async diff(repository, base, head, maxBytes) {
      const cwd = await at(repository);
      return diffCommits(cwd, await existingCommit(cwd, base), await existingCommit(cwd, head), maxBytes);
    },
    async cloneAccess(repository) {
      return { url: pathToFileURL(await at(repository)).href };
    },
  };
}

function writes(
  at: (repository: RepositoryRef) => Promise<string>,
): Pick<CodeHost, 'writeCommit' | 'createBranch' | 'advanceBranch'> {
  return {
    async writeCommit(repository, commit) {
      const cwd = await at(repository);
      await existingCommit(cwd, commit.parent);
      return writeCommitObject(cwd, commit);
    },
    async createBranch(repository, branch, sha) {
      const cwd = await at(repository);
      await assertBranchName(cwd, branch);
      await existingCommit(cwd, sha);
      if ((await readBranchRef(cwd, branch)) !== undefined) return 'exists';
      if (await moveBranch(cwd, branch, sha, NO_OBJECT)) return 'created';
      if ((await readBranchRef(cwd, branch)) !== undefined) return 'exists';
      throw new PenstockError(
        'invalid',
        `Branch ${branch} cannot stand beside the branches that exist; choose another name`,
      );
    },
    async advanceBranch(repository, branch, sha) {
      const cwd = await at(repository);
      const current = await readBranchRef(cwd, branch);
      if (current === undefined)
        throw new PenstockError('not_found', `There is no branch ${branch} in ${cwd}`);
      await existingCommit(cwd, sha);
      if (current === sha) return 'advanced';
      if (!(await isAncestor(cwd, current, sha))) return 'conflict';
      await assertNotCheckedOut(cwd, branch);
      return (await moveBranch(cwd, branch, sha, current)) ? 'advanced' : 'conflict';
    },
  };
}

/** The top of the checkout (or the bare repository) that the path lies in. */
async function resolveCheckout(
  repository: RepositoryRef,
  config: LocalGitCodeHostConfig,
): Promise<string | undefined> {
  if (!isAbsolute(repository.repository)) {
    throw new PenstockError(
      'invalid',
      `A local repository is an absolute path, not ${repository.repository}`,
    );
  }
  const path = await realpath(repository.repository).catch(() => undefined);
  if (path === undefined) return undefined;
  const top = await findTop(path);
  if (top !== undefined && config.allowedRoot !== undefined) await assertWithin(top, config.allowedRoot);
  return top;
}

async function resolveExisting(repository: RepositoryRef, config: LocalGitCodeHostConfig): Promise<string> {
  const top = await resolveCheckout(repository, config);
  if (top !== undefined) return top;
  throw new PenstockError(
    'not_found',
    `${repository.repository} is not in a git repository; run \`git init\` there or name another folder`,
  );
}

async function findTop(path: string): Promise<string | undefined> {
  const top = await runGit(['rev-parse', '--show-toplevel'], { cwd: path, answers: [128] }).catch(
    () => undefined,
  );
  if (top?.exitCode === 0) return realpath(top.stdout.toString('utf8').trimEnd());
  if (top?.stderr.includes('dubious ownership') === true) {
    throw new PenstockError(
      'forbidden',
      `${path} belongs to another user, so git does not read it; run as its owner or clone it`,
    );
  }
  const bare = await runGit(['rev-parse', '--absolute-git-dir'], { cwd: path, answers: [128] }).catch(
    () => undefined,
  );
  return bare?.exitCode === 0 ? realpath(bare.stdout.toString('utf8').trimEnd()) : undefined;
}

async function assertWithin(path: string, root: string): Promise<void> {
  const inside = relative(await realpath(root), path);
  if (!inside.startsWith('..') && !isAbsolute(inside)) return;
  throw new PenstockError(
    'forbidden',
    `${path} is outside ${root}, the only folder whose checkouts may be used`,
  );
}

async function existingCommit(cwd: string, sha: string): Promise<string> {
  if (isSha(sha) && (await readCommitObject(cwd, sha)) !== undefined) return sha;
  throw new PenstockError('not_found', `There is no commit ${sha} in ${cwd}`);
}

async function diffCommits(cwd: string, base: string, head: string, maxBytes: number): Promise<string> {
  const shape = ['diff.noprefix=false', 'diff.mnemonicPrefix=false', 'core.quotePath=true'].flatMap(
    (setting) => ['-c', setting],
  );
  const args = [
    ...shape,
    'diff',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--merge-base',
    base,
    head,
    '--',
  ];
  const { stdout } = await runGit(args, { cwd, maxOutputBytes: maxBytes, overflow: 'cut' });
  return stdout.toString('utf8');
}

async function assertBranchName(cwd: string, branch: string): Promise<void> {
  const { exitCode } = await runGit(['check-ref-format', '--branch', branch], { cwd, answers: [1, 128] });
  if (exitCode !== 0)
    throw new PenstockError('invalid', `${JSON.stringify(branch)} is not a name that a branch may have`);
}

/** Moving a branch under somebody's working tree would show their files as changed. */
async function assertNotCheckedOut(cwd: string, branch: string): Promise<void> {
  const worktrees = await readGit(['worktree', 'list', '--porcelain'], { cwd });
  const bare = worktrees.split('\n').includes('bare');
  if (bare || !worktrees.split('\n').includes(`branch refs/heads/${branch}`)) return;
  throw new PenstockError(
    'refused',
    `Branch ${branch} is checked out in ${cwd}; check out another one first`,
  );
}

/** Whether the branch stood where it was expected and now stands on `sha`. */
async function moveBranch(cwd: string, branch: string, sha: string, expected: string): Promise<boolean> {
  const args = ['update-ref', '-m', 'penstock', `refs/heads/${branch}`, sha, expected];
  return (await runGit(args, { cwd, env: IDENTITY, answers: [1, 128] })).exitCode === 0;
}

type PullRequestCalls = Omit<
  CodeHost,
  'host' | 'hasPullRequests' | keyof Reads | 'writeCommit' | 'createBranch' | 'advanceBranch' | 'readCi'
>;

function refuse(what: string): () => Promise<never> {
  return () =>
    Promise.reject(new PenstockError('invalid', `A local checkout has no ${what}; its result is a branch`));
}

function withoutPullRequests(): PullRequestCalls {
  return {
    readThread: refuse('issues'),
    findPullRequest: refuse('pull requests'),
    createPullRequest: refuse('pull requests'),
    updatePullRequest: refuse('pull requests'),
    markReady: refuse('pull requests'),
    findComment: refuse('comments'),
    createComment: refuse('comments'),
    updateComment: refuse('comments'),
    findCheckRun: refuse('check runs'),
    createCheckRun: refuse('check runs'),
    updateCheckRun: refuse('check runs'),
  };
}
