import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGit, runGit, type GitOptions } from '../../../shared/adapters/local/git-command.ts';
import { Refusal } from './refusal.ts';

export interface TreeItem {
  path: string;
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  sha: string;
  size?: number;
}

export interface Person {
  name: string;
  email: string;
  date?: string;
}

export interface Commit {
  sha: string;
  tree: string;
  parents: string[];
  message: string;
  author: Person;
  committer: Person;
}

const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The truth about a repository: a bare git repository that both the API and clones read and write. */
export interface BareRepository {
  readonly directory: string;
  git(args: string[], options?: Partial<GitOptions>): Promise<string>;
  ok(args: string[]): Promise<boolean>;
  typeOf(sha: string): Promise<'blob' | 'tree' | 'commit' | undefined>;
  /** SHA that a full ref or a commit-ish points to. */
  resolve(ref: string): Promise<string | undefined>;
  commit(sha: string): Promise<Commit | undefined>;
  tree(treeish: string, recursive: boolean): Promise<TreeItem[]>;
  blob(sha: string): Promise<Buffer>;
  writeBlob(content: Uint8Array): Promise<string>;
  writeTree(
    base: string | undefined,
    items: { path: string; mode: string; sha: string | null }[],
  ): Promise<string>;
  writeCommit(commit: Omit<Commit, 'sha'>): Promise<string>;
  /** `expected` all zeroes: must not exist. */
  updateRef(ref: string, sha: string, expected?: string): Promise<boolean>;
  refs(prefix: string): Promise<Map<string, string>>;
}

export async function createBareRepository(directory: string): Promise<BareRepository> {
  await mkdir(directory, { recursive: true });
  await readGit(['init', '--quiet', '--bare', '--initial-branch=main', '.'], { cwd: directory });
  return openBareRepository(directory);
}

function openBareRepository(directory: string): BareRepository {
  const git: BareRepository['git'] = (args, options) => readGit(args, { cwd: directory, ...options });
  const ok: BareRepository['ok'] = async (args) =>
    (await runGit(args, { cwd: directory, answers: [1, 128, 129] })).exitCode === 0;
  const resolve: BareRepository['resolve'] = async (ref) => {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', ref];
    const found = await runGit(args, { cwd: directory, answers: [1, 128] });
    return found.exitCode === 0 ? found.stdout.toString('utf8').trim() : undefined;
  };
  return {
    directory,
    git,
    ok,
    resolve,
    typeOf: async (sha) => {
      const answer = await git(['cat-file', '--batch-check'], { input: `${sha}\n` });
      const type = answer.split(' ')[1];
      return type === 'blob' || type === 'tree' || type === 'commit' ? type : undefined;
    },
    commit: async (sha) =>
      (await ok(['cat-file', '-e', `${sha}^{commit}`])) ? readCommit(git, sha) : undefined,
    tree: (treeish, recursive) => readTree(git, treeish, recursive),
    blob: async (sha) =>
      (await runGit(['cat-file', 'blob', sha], { cwd: directory, maxOutputBytes: MAX_FILE_BYTES })).stdout,
    writeBlob: (content) => git(['hash-object', '-w', '--stdin'], { input: content }),
    writeTree: (base, items) =>
      withIndex((indexFile) => writeTree({ cwd: directory, indexFile }, base, items)),
    writeCommit: (commit) => writeCommit(git, commit),
    updateRef: async (ref, sha, expected) =>
      ok(['update-ref', ref, sha, ...(expected === undefined ? [] : [expected])]),
    refs: async (prefix) => {
      const lines = await git(['for-each-ref', '--format=%(objectname) %(refname)', prefix]);
      return new Map(
        lines
          .split('\n')
          .filter(Boolean)
          .map((line) => [line.slice(41), line.slice(0, 40)]),
      );
    },
  };
}

type Git = BareRepository['git'];

async function readCommit(git: Git, sha: string): Promise<Commit> {
  const format = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x00');
  const text = await git(['log', '-1', `--format=${format}`, '--no-show-signature', '--encoding=UTF-8', sha]);
  const [
    id = '',
    tree = '',
    parents = '',
    an = '',
    ae = '',
    ad = '',
    cn = '',
    ce = '',
    cd = '',
    message = '',
  ] = text.split('\0');
  return {
    sha: id,
    tree,
    parents: parents === '' ? [] : parents.split(' '),
    message: message.replace(/\n$/, ''),
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
  };
}

async function readTree(git: Git, treeish: string, recursive: boolean): Promise<TreeItem[]> {
  const text = await git(['ls-tree', '-z', '-l', '--full-tree', ...(recursive ? ['-r', '-t'] : []), treeish]);
  return text
    .split('\0')
    .filter((record) => record.includes('\t'))
    .map((record) => {
      const tab = record.indexOf('\t');
      const [mode = '', type = '', sha = '', size = '-'] = record.slice(0, tab).split(/ +/);
      const item = { path: record.slice(tab + 1), mode, type: type as TreeItem['type'], sha };
      return size === '-' ? item : { ...item, size: Number(size) };
    });
}

async function withIndex<T>(use: (indexFile: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'github-index-'));
  try {
    return await use(join(folder, 'index'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeTree(
  git: GitOptions,
  base: string | undefined,
  items: { path: string; mode: string; sha: string | null }[],
): Promise<string> {
  await readGit(base === undefined ? ['read-tree', '--empty'] : ['read-tree', base], git);
  for (const item of items.filter(({ sha }) => sha === null)) {
    const listed = await readGit(['ls-files', '-z', '--', item.path], git);
    if (!listed.split('\0').includes(item.path)) throw new Refusal(422, 'GitRPC::BadObjectState');
  }
  const removed = items.filter(({ sha }) => sha === null).map(({ path }) => `0 ${'0'.repeat(40)}\t${path}\0`);
  const files = items.flatMap(({ mode, sha, path }) => (sha === null ? [] : [`${mode} ${sha}\t${path}\0`]));
  const input = [...removed, ...files].join('');
  await readGit(['update-index', '-z', '--replace', '--index-info'], { ...git, input });
  return readGit(['write-tree'], git);
}

async function writeCommit(git: Git, commit: Omit<Commit, 'sha'>): Promise<string> {
  const env: Record<string, string> = {
    GIT_AUTHOR_NAME: commit.author.name,
    GIT_AUTHOR_EMAIL: commit.author.email,
    GIT_COMMITTER_NAME: commit.committer.name,
    GIT_COMMITTER_EMAIL: commit.committer.email,
    ...(commit.author.date === undefined ? {} : { GIT_AUTHOR_DATE: commit.author.date }),
    ...(commit.committer.date === undefined ? {} : { GIT_COMMITTER_DATE: commit.committer.date }),
  };
  const parents = commit.parents.flatMap((parent) => ['-p', parent]);
  return git(['commit-tree', commit.tree, ...parents, '-F', '-'], { input: commit.message, env });
}

export type Files = Record<
  string,
  string | Uint8Array | { content: string | Uint8Array; mode: '100644' | '100755' }
>;

/** First commits carry the same date, so that the same files always have the same SHA. */
const FIRST = { name: 'Octo Cat', email: 'octocat@users.noreply.github.com', date: '2026-01-01T00:00:00Z' };

/** The first commit on `main`, with these files or the content of a folder. */
export async function writeFirstCommit(
  repository: BareRepository,
  source: { files: Files } | { fromDirectory: string },
): Promise<string> {
  const tree =
    'files' in source
      ? await treeOfFiles(repository, source.files)
      : await treeOfFolder(repository, source.fromDirectory);
  const commit = { tree, parents: [], message: 'First commit\n', author: FIRST, committer: FIRST };
  const sha = await repository.writeCommit(commit);
  await repository.updateRef('refs/heads/main', sha);
  return sha;
}

async function treeOfFiles(repository: BareRepository, files: Files): Promise<string> {
  const items = [];
  for (const [path, file] of Object.entries(files)) {
    const { content, mode } =
      typeof file === 'string' || file instanceof Uint8Array ? { content: file, mode: '100644' } : file;
    items.push({ path, mode, sha: await repository.writeBlob(Buffer.from(content)) });
  }
  return repository.writeTree(undefined, items);
}

function treeOfFolder(repository: BareRepository, folder: string): Promise<string> {
  return withIndex(async (indexFile) => {
    const options = { cwd: folder, indexFile, env: { GIT_DIR: repository.directory, GIT_WORK_TREE: folder } };
    await readGit(['add', '--all', '.'], options);
    return readGit(['write-tree'], options);
  });
}
