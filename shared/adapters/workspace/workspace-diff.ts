import { runGit } from '../local/git-command.ts';
import { cutMiddle } from '../local/bounded-output.ts';
import { snapshot } from './snapshot.ts';
import { gitIn, type Workspace } from './workspace.ts';

export interface DiffStat {
  files: number;
  added: number;
  deleted: number;
}

/** Unified diff of all changes since the inputs, for people and models; cut in the middle at `maxBytes`. */
export async function workspaceDiff(workspace: Workspace, maxBytes: number): Promise<string> {
  const { tree } = await snapshot(workspace);
  const args = [
    'diff-tree',
    '-r',
    '-p',
    '-M',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    workspace.inputsTree,
    tree,
  ];
  const { stdout, truncated } = await runGit(args, { ...gitIn(workspace), overflow: 'cut' });
  const text = cutMiddle(stdout.toString('utf8'), maxBytes);
  return truncated ? `${text}\n… the rest was not read …\n` : text;
}

export async function diffStat(workspace: Workspace): Promise<DiffStat> {
  const { tree } = await snapshot(workspace);
  return treeDiffStat(workspace, workspace.inputsTree, tree);
}

/** Files and lines between two trees; binary files have no lines. */
export async function treeDiffStat(workspace: Workspace, from: string, to: string): Promise<DiffStat> {
  const { stdout } = await runGit(
    ['diff-tree', '-r', '--numstat', '-z', '--no-renames', from, to],
    gitIn(workspace),
  );
  const lines = stdout
    .toString('utf8')
    .split('\0')
    .slice(0, -1)
    .map((line) => line.split('\t'));
  const sum = (column: number): number =>
    lines.reduce((total, line) => total + (Number(line[column]) || 0), 0);
  return { files: lines.length, added: sum(0), deleted: sum(1) };
}
