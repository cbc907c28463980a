export interface RepositoryRef {
  host: 'github' | 'local-git';
  /** `owner/name` on GitHub; an absolute path of a checkout for `local-git`. */
  repository: string;
  /** GitHub installation that the tenant reaches it through. */
  installationId?: number;
}

export interface TreeEntry {
  path: string;
  mode: '100644' | '100755' | '120000' | '160000';
  bytes: number;
}

export interface CommitInfo {
  sha: string;
  parents: string[];
  message: string;
}

/** `content` absent: the path is deleted. */
export interface FileChange {
  path: string;
  mode: '100644' | '100755';
  content?: Uint8Array;
}

export interface PullRequest {
  number: number;
  url: string;
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  headSha: string;
}

export interface Thread {
  title: string;
  body: string;
  author: string;
}

export interface CheckRunUpdate {
  name: string;
  headSha: string;
  /** Our identity for it: found again by this. */
  externalId: string;
  status: 'in_progress' | 'completed';
  conclusion?: 'success' | 'failure' | 'cancelled' | 'neutral';
  title: string;
  summary: string;
  detailsUrl?: string;
}

export interface CiFailure {
  name: string;
  /** What it says about itself; text of somebody else. */
  summary: string;
  /** Where a person reads more; empty where there is no such place. */
  url: string;
}

/** What others than we say about a commit: their check runs and commit statuses, the newest of each. */
export interface CiEvidence {
  /** `none`: nobody has said anything. `red`: one has failed, whatever the others do. `green`: all are over. */
  state: 'none' | 'pending' | 'green' | 'red';
  /** What has failed; at most 20, each with at most 4,000 characters. */
  failures: CiFailure[];
  /** Names of what is not over; at most 20. What waits for a person, or was cancelled, is not over. */
  pending: string[];
}

/**
 * A host of repositories. Reads are at a commit SHA; writes name what they expect. Every call has a timeout.
 * Unknown repositories, refs and files are `undefined`, not errors.
 */
export interface CodeHost {
  readonly host: RepositoryRef['host'];
  /** Whether it has pull requests, issues, comments and check runs; without, those calls throw `invalid`. */
  readonly hasPullRequests: boolean;

  /**
   * Where a change starts. On a checkout: its current branch, on a detached one the SHA of HEAD (which `readBranch`
   * takes), without commits `undefined`. GitHub names the branch of an empty repository too; `readBranch` then has none.
   */
  defaultBranch(repository: RepositoryRef): Promise<string | undefined>;
  /** SHA of a branch. */
  readBranch(repository: RepositoryRef, branch: string): Promise<string | undefined>;
  readCommit(repository: RepositoryRef, sha: string): Promise<CommitInfo | undefined>;
  /** At most `limit` files in path order; `truncated` when there are more. */
  readTree(
    repository: RepositoryRef,
    sha: string,
    limit: number,
  ): Promise<{ entries: TreeEntry[]; truncated: boolean }>;
  /** The first `maxBytes` of a regular file; a symbolic link is none. */
  readFile(
    repository: RepositoryRef,
    sha: string,
    path: string,
    maxBytes: number,
  ): Promise<Uint8Array | undefined>;
  permission(repository: RepositoryRef, login: string): Promise<'admin' | 'write' | 'read' | 'none'>;
  readThread(repository: RepositoryRef, issue: number): Promise<Thread | undefined>;
  /** Unified diff of what `head` changed since it left `base`, cut at `maxBytes`. */
  diff(repository: RepositoryRef, base: string, head: string, maxBytes: number): Promise<string>;
  /** How to clone, read-only and for this repository only. `authorization` is a whole header value and a secret. */
  cloneAccess(repository: RepositoryRef): Promise<{ url: string; authorization?: string }>;

  /**
   * Tree from the parent's tree plus changes, and a commit on it. No ref moves. No author: the host signs it as the App.
   * A path that a tree cannot hold, or the deletion of what is not there, is `invalid`; an unknown parent `not_found`.
   */
  writeCommit(
    repository: RepositoryRef,
    commit: { parent: string; message: string; changes: FileChange[] },
  ): Promise<string>;
  createBranch(repository: RepositoryRef, branch: string, sha: string): Promise<'created' | 'exists'>;
  /** Fast-forward only. `conflict`: the branch is no longer an ancestor of `sha`. `not_found`: there is no such branch. */
  advanceBranch(repository: RepositoryRef, branch: string, sha: string): Promise<'advanced' | 'conflict'>;

  /** The newest pull request from that branch, in any state. */
  findPullRequest(repository: RepositoryRef, headBranch: string): Promise<PullRequest | undefined>;
  /**
   * A draft, or where drafts are refused a normal one titled `[WIP] …` (which then counts as a draft).
   * `conflict`: that branch has an open one. After an unknown outcome, find before a second try: nothing is repeated here.
   */
  createPullRequest(
    repository: RepositoryRef,
    request: { headBranch: string; baseBranch: string; title: string; body: string },
  ): Promise<PullRequest>;
  updatePullRequest(
    repository: RepositoryRef,
    number: number,
    change: { title?: string; body?: string },
  ): Promise<void>;
  /** Out of draft (or `[WIP]` removed). Doing it twice is fine. */
  markReady(repository: RepositoryRef, number: number): Promise<void>;

  /** Our own comment on an issue or pull request that contains `marker`; looks at all pages. */
  findComment(
    repository: RepositoryRef,
    issue: number,
    marker: string,
  ): Promise<{ id: number; body: string } | undefined>;
  createComment(repository: RepositoryRef, issue: number, body: string): Promise<{ id: number }>;
  updateComment(repository: RepositoryRef, id: number, body: string): Promise<void>;

  findCheckRun(
    repository: RepositoryRef,
    headSha: string,
    externalId: string,
  ): Promise<{ id: number; status: string; conclusion?: string } | undefined>;
  createCheckRun(repository: RepositoryRef, check: CheckRunUpdate): Promise<{ id: number }>;
  updateCheckRun(repository: RepositoryRef, id: number, check: CheckRunUpdate): Promise<void>;
  /** A host without check runs says `none`. */
  readCi(repository: RepositoryRef, headSha: string): Promise<CiEvidence>;
}
