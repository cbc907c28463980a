import type { CommitInfo, TreeEntry } from '../../ports/code-host.ts';
import { readGit, runGit } from './git-command.ts';

const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const MODES = new Set(['100644', '100755', '120000', '160000']);
/** Longest record of `ls-tree -l`: mode, type, SHA, size and a path of 4096 bytes. */
const MAX_TREE_RECORD_BYTES = 4_400;

export function isSha(text: string): boolean {
  return SHA.test(text);
}

/** A commit's own data, or nothing when `sha` is not a commit here. */
export async function readCommitObject(cwd: string, sha: string): Promise<CommitInfo | undefined> {
  if (!isSha(sha)) return undefined;
  const { stdout } = await runGit(['cat-file', '--batch'], { cwd, input: `${sha}\n` });
  const headerEnd = stdout.indexOf('\n');
  const [, type, bytes] = stdout.subarray(0, headerEnd).toString('utf8').split(' ');
  if (type !== 'commit') return undefined;
  const content = stdout.subarray(headerEnd + 1, headerEnd + 1 + Number(bytes)).toString('utf8');
  const blank = content.indexOf('\n\n');
  const header = content.slice(0, blank).split('\n');
  const parents = header
    .filter((line) => line.startsWith('parent '))
    .map((line) => line.slice('parent '.length));
  return { sha, parents, message: content.slice(blank + 2) };
}

/** The first `limit` files of a commit in path order. */
export async function listTree(
  cwd: string,
  sha: string,
  limit: number,
): Promise<{ entries: TreeEntry[]; truncated: boolean }> {
  const { stdout, truncated } = await runGit(['ls-tree', '-r', '-z', '-l', '--full-tree', sha], {
    cwd,
    maxOutputBytes: (limit + 1) * MAX_TREE_RECORD_BYTES,
    overflow: 'cut',
  });
  const records = stdout.toString('utf8').split('\0');
  // What follows the last NUL is empty, or a record that the limit has cut.
  records.pop();
  const entries = records.slice(0, limit).flatMap((record) => parseRecord(record)?.entry ?? []);
  return { entries, truncated: truncated || records.length > limit };
}

/** The entry at exactly this path. */
export async function findEntry(
  cwd: string,
  sha: string,
  path: string,
): Promise<{ entry: TreeEntry; object: string } | undefined> {
  // git ends with an error for what lies outside the repository.
  if (path.startsWith('/') || path.split('/').includes('..')) return undefined;
  const { stdout } = await runGit(['ls-tree', '-z', '-l', '--full-tree', sha, '--', path], { cwd });
  const records = stdout.toString('utf8').split('\0');
  return records.map(parseRecord).find((found) => found?.entry.path === path);
}

/** `path` of a directory is absent: directories are no entries. */
function parseRecord(record: string): { entry: TreeEntry; object: string } | undefined {
  const tab = record.indexOf('\t');
  const [mode, , object, bytes] = record.slice(0, tab).split(/ +/);
  if (mode === undefined || object === undefined || !isMode(mode)) return undefined;
  return { entry: { path: record.slice(tab + 1), mode, bytes: bytes === '-' ? 0 : Number(bytes) }, object };
}

function isMode(mode: string): mode is TreeEntry['mode'] {
  return MODES.has(mode);
}

/** SHA of a branch, exactly by name. */
export async function readBranchRef(cwd: string, branch: string): Promise<string | undefined> {
  const ref = `refs/heads/${branch}`;
  const { exitCode, stdout } = await runGit(['show-ref', '--verify', '--hash', ref], {
    cwd,
    answers: [1, 128],
  });
  return exitCode === 0 ? stdout.toString('utf8').trim() : undefined;
}

export async function isAncestor(cwd: string, ancestor: string, descendant: string): Promise<boolean> {
  const { exitCode } = await runGit(['merge-base', '--is-ancestor', ancestor, descendant], {
    cwd,
    answers: [1],
  });
  return exitCode === 0;
}

/** SHA that HEAD stands on; nothing in a repository without commits. */
export async function readHead(
  cwd: string,
): Promise<{ sha: string; branch: string | undefined } | undefined> {
  const found = await runGit(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    cwd,
    answers: [1, 128],
  });
  if (found.exitCode !== 0) return undefined;
  const branch = await readGit(['symbolic-ref', '--quiet', '--short', 'HEAD'], { cwd, answers: [1] });
  return { sha: found.stdout.toString('utf8').trim(), branch: branch === '' ? undefined : branch };
}
