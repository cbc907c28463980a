import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileChange } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { readGit, runGit, type GitOptions } from './git-command.ts';
import { findEntry } from './git-objects.ts';

/** Author and committer of commits on a checkout, where there is no App that a host could name. */
export const IDENTITY = {
  GIT_AUTHOR_NAME: 'Penstock',
  GIT_AUTHOR_EMAIL: 'penstock@localhost',
  GIT_COMMITTER_NAME: 'Penstock',
  GIT_COMMITTER_EMAIL: 'penstock@localhost',
};
/** Names that git or a file system reads as `.git`. */
const GIT_FOLDER = /^(?:\.git|git~\d+)[\s.]*$/i;
const NO_OBJECT = '0'.repeat(40);

/** A commit on `parent` with these changes, made in an index of its own: working tree, index, HEAD and refs stay as they are. */
export async function writeCommitObject(
  cwd: string,
  commit: { parent: string; message: string; changes: FileChange[] },
): Promise<string> {
  for (const change of commit.changes) assertWritable(change.path);
  const folder = await mkdtemp(join(tmpdir(), 'penstock-index-'));
  try {
    const git = { cwd, indexFile: join(folder, 'index'), env: IDENTITY };
    const tree = await writeTree(git, commit.parent, commit.changes);
    const args = ['commit-tree', '--no-gpg-sign', tree, '-p', commit.parent, '-F', '-'];
    return await readGit(args, { ...git, input: commit.message });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeTree(git: GitOptions, parent: string, changes: FileChange[]): Promise<string> {
  await runGit(['read-tree', parent], git);
  const deletions: string[] = [];
  const files: string[] = [];
  for (const change of changes) {
    if (change.content === undefined) {
      await assertExists(git.cwd, parent, change.path);
      deletions.push(`0 ${NO_OBJECT}\t${change.path}\0`);
    } else {
      const blob = await readGit(['hash-object', '-w', '--stdin'], { ...git, input: change.content });
      files.push(`${change.mode} ${blob}\t${change.path}\0`);
    }
  }
  // Deletions come first: a file may become a directory of the same name.
  await updateIndex(git, [...deletions, ...files]);
  return readGit(['write-tree'], git);
}

async function updateIndex(git: GitOptions, records: string[]): Promise<void> {
  try {
    await runGit(['update-index', '-z', '--replace', '--index-info'], { ...git, input: records.join('') });
  } catch (error) {
    if (!(error instanceof PenstockError) || error.code !== 'internal') throw error;
    throw new PenstockError('invalid', `The changes do not fit into the tree: ${error.message}`, {
      cause: error,
    });
  }
}

async function assertExists(cwd: string, commit: string, path: string): Promise<void> {
  if ((await findEntry(cwd, commit, path)) !== undefined) return;
  throw new PenstockError('invalid', `The change deletes ${path}, which is not a file of ${commit}`);
}

/** git itself drops such paths from a batch with a mere remark. */
function assertWritable(path: string): void {
  const parts = path.split('/');
  const refused = parts.some((part) => part === '' || part === '.' || part === '..' || GIT_FOLDER.test(part));
  if (!refused && !path.includes('\0') && !path.includes('\n')) return;
  throw new PenstockError('invalid', `${JSON.stringify(path)} is not a path that a commit may hold`);
}
