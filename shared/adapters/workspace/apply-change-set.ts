import { open, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { validateChangeSet } from '../../core/repository/validate-change-set.ts';
import type { ChangeEntry, ChangeSet } from '../../messages/change-set.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { readGit, runGit } from '../local/git-command.ts';
import { MAX_CHANGE_SET_CONTENT_BYTES, type ChangeSetWithContents } from './collect-change-set.ts';
import { sha256Of, writeBlobs } from './git-blobs.ts';
import { resetTo, snapshot, treePatch } from './snapshot.ts';
import { gitIn, nameText, splitNames, type Workspace } from './workspace.ts';

/** Of the conflicting part of one file: enough for its author to see what collided. */
const MAX_EXCERPT_CHARS = 4_000;
const MAX_CONFLICT_READ_BYTES = 2 * 1024 * 1024;
const MAX_PATCH_BYTES = 4 * MAX_CHANGE_SET_CONTENT_BYTES;

export interface ConflictingFile {
  path: string;
  /** The parts between conflict markers, or git's own words where the two cannot be put side by side. */
  excerpt: string;
}

export type ApplyResult = { outcome: 'applied' } | { outcome: 'conflict'; files: ConflictingFile[] };

/**
 * Applies a change set onto whatever the working tree holds, by three-way merge where its files changed meanwhile.
 * On a conflict the working tree is as it was. Throws `invalid` for a change set that is not to be trusted.
 */
export async function applyChangeSet(
  workspace: Workspace,
  { changeSet, contents }: ChangeSetWithContents,
): Promise<ApplyResult> {
  const valid = validateChangeSet(changeSet);
  const patch = await patchOf(workspace, valid, contentsOf(valid, contents));
  if (patch.length === 0) return { outcome: 'applied' };

  const { tree } = await snapshot(workspace);
  const args = ['apply', '--3way', '--index', '--binary', '--whitespace=nowarn', '-'];
  const result = await runGit(args, { ...gitIn(workspace), input: patch, answers: [1, 128] });
  if (result.exitCode === 0) return { outcome: 'applied' };
  const files = await conflictsOf(workspace, valid, result.stderr);
  await resetTo(workspace, tree);
  return { outcome: 'conflict', files };
}

/** The contents that the entries name, each checked against its hash. */
function contentsOf(
  changeSet: ChangeSet,
  contents: ReadonlyMap<string, Uint8Array>,
): Map<string, Uint8Array> {
  const expected = changeSet.entries.flatMap((entry) => [
    ...(entry.blob === null ? [] : [{ path: entry.path, hash: entry.blob, bytes: entry.bytes }]),
    ...(entry.before === null ? [] : [{ path: entry.path, hash: entry.before.blob, bytes: undefined }]),
  ]);
  const found = new Map<string, Uint8Array>();
  const reasons: string[] = [];
  for (const { path, hash, bytes } of expected) {
    const content = contents.get(hash);
    if (content === undefined) reasons.push(`the contents ${hash} of ${JSON.stringify(path)} are missing`);
    else if (sha256Of(content) !== hash)
      reasons.push(`the contents of ${JSON.stringify(path)} are not ${hash}`);
    else if (bytes !== undefined && content.length !== bytes)
      reasons.push(`${JSON.stringify(path)} has ${content.length} bytes, not ${bytes}`);
    else found.set(hash, content);
  }
  if (reasons.length > 0)
    throw new PenstockError('invalid', `the change set is refused: ${reasons[0]}`, { reasons });
  return found;
}

/** A patch between a tree of all files before and a tree of all files after; other files stand in neither. */
async function patchOf(
  workspace: Workspace,
  changeSet: ChangeSet,
  contents: Map<string, Uint8Array>,
): Promise<Buffer> {
  const ids = await writeBlobs(workspace, contents);
  const before = await treeOf(
    workspace,
    changeSet.entries.map((entry) => ({ path: entry.path, side: entry.before })),
    ids,
  );
  const after = await treeOf(
    workspace,
    changeSet.entries.map((entry) => ({ path: entry.path, side: sideAfter(entry) })),
    ids,
  );
  return treePatch(workspace, before, after, MAX_PATCH_BYTES);
}

interface Side {
  mode: string;
  blob: string;
}

function sideAfter(entry: ChangeEntry): Side | null {
  return entry.mode === null || entry.blob === null ? null : { mode: entry.mode, blob: entry.blob };
}

async function treeOf(
  workspace: Workspace,
  files: { path: string; side: Side | null }[],
  ids: ReadonlyMap<string, string>,
): Promise<string> {
  const git = { ...gitIn(workspace), indexFile: join(workspace.gitDirectory, `index-${randomUUID()}`) };
  const lines = files.flatMap(({ path, side }) =>
    side === null ? [] : [`${side.mode} ${ids.get(side.blob)}\t${path}\0`],
  );
  try {
    await runGit(['update-index', '-z', '--index-info'], { ...git, input: lines.join('') });
    return await readGit(['write-tree'], git);
  } finally {
    await rm(git.indexFile, { force: true });
  }
}

async function conflictsOf(
  workspace: Workspace,
  changeSet: ChangeSet,
  stderr: string,
): Promise<ConflictingFile[]> {
  const unmerged = splitNames((await runGit(['ls-files', '-z', '--unmerged'], gitIn(workspace))).stdout);
  const paths = [...new Set(unmerged.map((line) => nameText(line.slice(line.indexOf('\t') + 1))))];
  if (paths.length > 0)
    return Promise.all(paths.map(async (path) => ({ path, excerpt: await excerptOf(workspace, path) })));
  const words = stderr.trim().slice(-MAX_EXCERPT_CHARS);
  const named = changeSet.entries.filter(
    (entry) => stderr.includes(`error: ${entry.path}: `) || stderr.includes(`failed: ${entry.path}:`),
  );
  return (named.length > 0 ? named : changeSet.entries).map(({ path }) => ({ path, excerpt: words }));
}

async function excerptOf(workspace: Workspace, path: string): Promise<string> {
  const file = await open(join(workspace.checkout, path)).catch(() => undefined);
  if (file === undefined) return 'deleted on one side, changed on the other';
  try {
    const { bytesRead, buffer } = await file.read(
      Buffer.alloc(MAX_CONFLICT_READ_BYTES),
      0,
      MAX_CONFLICT_READ_BYTES,
      0,
    );
    const parts = buffer.toString('utf8', 0, bytesRead).match(/^<{7} [\s\S]*?^>{7}.*$/gm) ?? [];
    return parts.length === 0 ? 'binary contents differ' : parts.join('\n…\n').slice(0, MAX_EXCERPT_CHARS);
  } finally {
    await file.close();
  }
}
