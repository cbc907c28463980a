import { lstat, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDotGit, pathProblem } from '../../core/repository/validate-path.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { readGit, runGit } from '../local/git-command.ts';
import { gitIn, joinNames, nameText, splitNames, type Workspace } from './workspace.ts';

/** A larger file is no source code, and would only fill the disk a second time. */
export const MAX_SNAPSHOT_FILE_BYTES = 32 * 1024 * 1024;
/** More new files than this come from a build or an installation that the repository does not ignore. */
export const MAX_NEW_FILES = 20_000;
export const MAX_CHECKPOINT_BYTES = 64 * 1024 * 1024;

export interface Snapshot {
  /** Tree of the working tree, with untracked files that are not ignored. */
  tree: string;
  /** What is there and not in the tree, and why. */
  skipped: { path: string; reason: string }[];
}

/** Records the working tree as it is, in the index and as a tree. Starts no program that the repository names. */
export async function snapshot(workspace: Workspace): Promise<Snapshot> {
  const git = gitIn(workspace);
  const others = splitNames((await runGit(['ls-files', '-z', '--others', '--exclude-standard'], git)).stdout);
  if (others.length > MAX_NEW_FILES) throw tooManyFiles(workspace, others.length);
  const changed = splitNames((await runGit(['diff-files', '-z', '--name-only', '--no-renames'], git)).stdout);

  const kinds = await classify(workspace, others, changed);
  const input = { ...git, input: joinNames(kinds.removed) };
  if (kinds.removed.length > 0) await runGit(['update-index', '-z', '--force-remove', '--stdin'], input);
  if (kinds.present.length > 0) {
    await runGit(['update-index', '-z', '--add', '--replace', '--stdin'], {
      ...git,
      input: joinNames(kinds.present),
    });
  }
  return { tree: await readGit(['write-tree'], git), skipped: kinds.skipped };
}

/** Makes the working tree exactly that tree; ignored files stay. */
export async function resetTo(workspace: Workspace, tree: string): Promise<void> {
  const { skipped } = await snapshot(workspace);
  for (const { path } of skipped) await rm(join(workspace.checkout, path), { recursive: true, force: true });
  await runGit(['read-tree', '--reset', '-u', tree], gitIn(workspace));
}

/** All changes since the inputs as one patch, untracked files too. Empty when there are none. */
export async function checkpoint(workspace: Workspace): Promise<Uint8Array> {
  const { tree } = await snapshot(workspace);
  return treePatch(workspace, workspace.inputsTree, tree, MAX_CHECKPOINT_BYTES);
}

/** Makes the working tree what it was at that {@link checkpoint}. */
export async function restore(workspace: Workspace, patch: Uint8Array): Promise<void> {
  await resetTo(workspace, workspace.inputsTree);
  if (patch.length === 0) return;
  await runGit(['apply', '--index', '--binary', '--whitespace=nowarn', '-'], {
    ...gitIn(workspace),
    input: patch,
  });
}

/** A patch from tree to tree that loses nothing. */
export async function treePatch(
  workspace: Workspace,
  from: string,
  to: string,
  maxOutputBytes: number,
): Promise<Buffer> {
  const options = [
    '--binary',
    '--full-index',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
  ];
  const args = ['diff-tree', '-r', '-p', ...options, '--src-prefix=a/', '--dst-prefix=b/', from, to];
  return (await runGit(args, { ...gitIn(workspace), maxOutputBytes })).stdout;
}

interface Kinds {
  removed: string[];
  present: string[];
  skipped: Snapshot['skipped'];
}

async function classify(workspace: Workspace, others: string[], changed: string[]): Promise<Kinds> {
  const kinds: Kinds = { removed: [], present: [], skipped: [] };
  const isReachable = reachability(workspace.checkout);
  for (const name of others) {
    // Git itself would leave these out, and say nothing.
    if (gitIgnoresName(name))
      kinds.skipped.push({
        path: nameText(name),
        reason: pathProblem(nameText(name)) ?? 'is refused by git',
      });
    else if (name.endsWith('/'))
      kinds.skipped.push({ path: nameText(name.slice(0, -1)), reason: 'is a git repository of its own' });
    else if ((await sizeOf(workspace, name)) > MAX_SNAPSHOT_FILE_BYTES) kinds.skipped.push(oversized(name));
    else kinds.present.push(name);
  }
  for (const name of changed) {
    const size = (await isReachable(name)) ? await sizeOf(workspace, name) : -1;
    if (size > MAX_SNAPSHOT_FILE_BYTES) kinds.skipped.push(oversized(name));
    // Gone, or a folder, a pipe or a link has taken its place (or that of its folder).
    else (size < 0 ? kinds.removed : kinds.present).push(name);
  }
  return kinds;
}

function gitIgnoresName(name: string): boolean {
  return name.includes('\\') || nameText(name).split('/').some(isDotGit);
}

function oversized(name: string): Snapshot['skipped'][number] {
  return { path: nameText(name), reason: `is over ${MAX_SNAPSHOT_FILE_BYTES} bytes` };
}

/** Bytes of a file or link; -1 for anything else. */
async function sizeOf(workspace: Workspace, name: string): Promise<number> {
  const stats = await lstat(pathBytes(workspace.checkout, name)).catch(() => undefined);
  return stats !== undefined && (stats.isFile() || stats.isSymbolicLink()) ? stats.size : -1;
}

/** Whether the folder of a name is really below the checkout, and not behind a link. */
function reachability(checkout: string): (name: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (name) => {
    const folder = dirname(name);
    const found = known.get(folder) ?? isRealFolder(checkout, folder);
    known.set(folder, found);
    return found;
  };
}

async function isRealFolder(checkout: string, folder: string): Promise<boolean> {
  try {
    const real = await realpath(pathBytes(checkout, folder), 'buffer');
    return real.equals(pathBytes(await realpath(checkout), folder));
  } catch {
    return false;
  }
}

function pathBytes(checkout: string, name: string): Buffer {
  return name === '.'
    ? Buffer.from(checkout)
    : Buffer.concat([Buffer.from(`${checkout}/`), Buffer.from(name, 'latin1')]);
}

function tooManyFiles(workspace: Workspace, count: number): PenstockError {
  const message = `${workspace.service} has ${count} new files, at most ${MAX_NEW_FILES} are taken`;
  return new PenstockError('too_large', `${message}; add what was built or installed to .gitignore`);
}
