import { changeSetProblems } from '../../core/repository/validate-change-set.ts';
import { pathProblem } from '../../core/repository/validate-path.ts';
import {
  MAX_CHANGED_FILE_BYTES,
  MAX_CHANGED_FILES,
  type ChangeEntry,
  type ChangeSet,
  type CheckResult,
} from '../../messages/change-set.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { runGit } from '../local/git-command.ts';
import { blobSizes, readBlobs, sha256Of } from './git-blobs.ts';
import { snapshot } from './snapshot.ts';
import { treeDiffStat } from './workspace-diff.ts';
import { gitIn, nameText, splitNames, type Workspace } from './workspace.ts';

/** Of all contents that travel with a change set, before and after. */
export const MAX_CHANGE_SET_CONTENT_BYTES = 40 * 1024 * 1024;
const MAX_REASONS = 50;

export interface ChangeSetWithContents {
  changeSet: ChangeSet;
  /** Bytes of each `blob` and `before.blob` by SHA-256. */
  contents: ReadonlyMap<string, Uint8Array>;
}

/** What the working tree changes since the inputs. Throws `invalid` with every reason why it cannot be proposed. */
export async function collectChangeSet(
  workspace: Workspace,
  checks: CheckResult[] = [],
): Promise<ChangeSetWithContents> {
  const { tree, skipped } = await snapshot(workspace);
  const changes = await rawChanges(workspace, tree);
  const sizes =
    changes.length > MAX_CHANGED_FILES ? new Map<string, number>() : await sizesOf(workspace, changes);
  const reasons = [
    ...skipped.map(({ path, reason }) => `${JSON.stringify(path)} ${reason}`),
    ...changes.flatMap((change) => changeProblems(change, sizes)),
    ...(changes.length > MAX_CHANGED_FILES
      ? [`${changes.length} files; at most ${MAX_CHANGED_FILES} are taken`]
      : []),
    ...contentProblems(sizes),
  ];
  if (reasons.length > 0) throw refused(workspace, reasons);

  const blobs = await readBlobs(workspace, [...sizes.keys()], MAX_CHANGE_SET_CONTENT_BYTES);
  const names = new Map([...blobs].map(([id, bytes]) => [id, sha256Of(bytes)]));
  const { added, deleted } = await treeDiffStat(workspace, workspace.inputsTree, tree);
  const entries = changes.map((change) => toEntry(change, names, sizes));
  const changeSet: ChangeSet = { v: 1, baseSha: workspace.baseSha, entries, added, deleted, checks };
  const problems = changeSetProblems(changeSet);
  if (problems.length > 0) throw refused(workspace, problems);
  return { changeSet, contents: new Map([...blobs].map(([id, bytes]) => [names.get(id)!, bytes])) };
}

interface Side {
  mode: string;
  id: string;
}
interface RawChange {
  path: string;
  before: Side | undefined;
  after: Side | undefined;
}

/** `:old-mode new-mode old-id new-id status`, then the path. */
async function rawChanges(workspace: Workspace, tree: string): Promise<RawChange[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', workspace.inputsTree, tree];
  const fields = splitNames((await runGit(args, gitIn(workspace))).stdout);
  const changes: RawChange[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [oldMode = '', newMode = '', oldId = '', newId = ''] = fields[index]!.slice(1).split(' ');
    changes.push({
      path: nameText(fields[index + 1]!),
      before: side(oldMode, oldId),
      after: side(newMode, newId),
    });
  }
  return changes;
}

function side(mode: string, id: string): Side | undefined {
  return mode === '000000' ? undefined : { mode, id };
}

function sizesOf(workspace: Workspace, changes: RawChange[]): Promise<Map<string, number>> {
  const sides = changes.flatMap((change) => [change.before, change.after]).filter((one) => one !== undefined);
  return blobSizes(workspace, [...new Set(sides.map((one) => one.id))]);
}

function changeProblems({ path, before, after }: RawChange, sizes: ReadonlyMap<string, number>): string[] {
  const name = JSON.stringify(path);
  const modes = new Set([before?.mode, after?.mode]);
  const problem = pathProblem(path);
  const bytes = after === undefined ? 0 : (sizes.get(after.id) ?? 0);
  return [
    ...(problem === undefined ? [] : [`${name} ${problem}`]),
    ...(modes.has('120000') ? [`${name} is a symbolic link`] : []),
    ...(modes.has('160000') ? [`${name} is a submodule`] : []),
    ...(bytes > MAX_CHANGED_FILE_BYTES
      ? [`${name} has ${bytes} bytes; at most ${MAX_CHANGED_FILE_BYTES} are taken`]
      : []),
  ];
}

function contentProblems(sizes: ReadonlyMap<string, number>): string[] {
  const bytes = [...sizes.values()].reduce((total, size) => total + size, 0);
  return bytes > MAX_CHANGE_SET_CONTENT_BYTES
    ? [`${bytes} bytes of contents before and after; at most ${MAX_CHANGE_SET_CONTENT_BYTES} are taken`]
    : [];
}

function toEntry(
  change: RawChange,
  names: ReadonlyMap<string, string>,
  sizes: ReadonlyMap<string, number>,
): ChangeEntry {
  const { path, before, after } = change;
  return {
    path,
    mode: after === undefined ? null : fileMode(after.mode),
    blob: after === undefined ? null : names.get(after.id)!,
    bytes: after === undefined ? 0 : sizes.get(after.id)!,
    before: before === undefined ? null : { mode: fileMode(before.mode), blob: names.get(before.id)! },
  };
}

function fileMode(mode: string): '100644' | '100755' {
  return mode === '100755' ? '100755' : '100644';
}

function refused(workspace: Workspace, reasons: string[]): PenstockError {
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  const message = `the changes in ${workspace.service} cannot be proposed: ${reasons[0]}${more}; undo them or add them to .gitignore`;
  return new PenstockError('invalid', message, { reasons: reasons.slice(0, MAX_REASONS) });
}
