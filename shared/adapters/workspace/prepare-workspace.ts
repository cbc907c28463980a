import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commitSha } from '../../messages/identifiers.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { readGit, runGit } from '../local/git-command.ts';
import { applyChangeSet } from './apply-change-set.ts';
import type { ChangeSetWithContents } from './collect-change-set.ts';
import { fetchCommit, type CloneAccess } from './fetch-commit.ts';
import { removeFolder } from './remove-folder.ts';
import { snapshot } from './snapshot.ts';
import { gitIn, joinNames, splitNames, workspacePaths, type Workspace } from './workspace.ts';

export interface WorkspaceRequest {
  /** Root of the attempt's files; made when it is not there. An earlier checkout of the service below it is replaced. */
  directory: string;
  /** Name of the checkout's folder: `[A-Za-z0-9][A-Za-z0-9._-]*`. */
  service: string;
  clone: CloneAccess;
  baseSha: string;
  /** Change sets of the tasks this one depends on, in the order to apply them. */
  inputs?: ChangeSetWithContents[];
  signal?: AbortSignal;
}

const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** What test runners and installers leave behind and nobody commits; a repository that tracks one still has its changes seen. */
const EXCLUDED = [
  'node_modules/',
  '__pycache__/',
  '*.py[cod]',
  '.pytest_cache/',
  '.venv/',
  '*.egg-info/',
  '.DS_Store',
];
const IDENTITY = {
  GIT_AUTHOR_NAME: 'Penstock',
  GIT_AUTHOR_EMAIL: 'penstock@localhost',
  GIT_COMMITTER_NAME: 'Penstock',
  GIT_COMMITTER_EMAIL: 'penstock@localhost',
};

/** A clean checkout of the base with the inputs applied. Throws `conflict` when an input does not apply. */
export async function prepareWorkspace(request: WorkspaceRequest): Promise<Workspace> {
  const paths = workspacePaths(request.directory, checkedService(request.service));
  const bare = { ...paths, baseSha: commitSha.parse(request.baseSha), inputsTree: '' };
  await makeFolders(bare);
  await fetchCommit(bare, request.clone, request.signal);
  const workspace = { ...bare, inputsTree: await checkOut(bare) };
  for (const [index, input] of (request.inputs ?? []).entries()) await applyInput(workspace, input, index);
  const { tree } = await snapshot(workspace);
  const prepared = { ...workspace, inputsTree: tree };
  await commitInputs(prepared, (request.inputs ?? []).length);
  await copyForAgent(prepared);
  return prepared;
}

function checkedService(service: string): string {
  if (SERVICE_NAME.test(service)) return service;
  throw new PenstockError(
    'invalid',
    `${JSON.stringify(service)} cannot name a workspace; take letters, digits, ".", "_" and "-"`,
  );
}

async function makeFolders(workspace: Workspace): Promise<void> {
  await removeFolder(workspace.checkout);
  await removeFolder(workspace.gitDirectory);
  await mkdir(workspace.checkout, { recursive: true });
  await mkdir(workspace.home, { recursive: true, mode: 0o700 });
  await mkdir(workspace.gitDirectory, { recursive: true, mode: 0o700 });
  await runGit(['init', '--quiet', '--bare', '--template=', workspace.gitDirectory], {
    cwd: workspace.directory,
  });
  await mkdir(join(workspace.gitDirectory, 'info'), { recursive: true });
  await writeFile(join(workspace.gitDirectory, 'info', 'exclude'), `${EXCLUDED.join('\n')}\n`);
}

/** The base without its submodules: their folders stay empty, and no change below them can be proposed. */
async function checkOut(workspace: Workspace): Promise<string> {
  const git = gitIn(workspace);
  await runGit(['update-ref', '--no-deref', 'HEAD', workspace.baseSha], git);
  await runGit(['read-tree', workspace.baseSha], git);
  const staged = splitNames((await runGit(['ls-files', '-z', '--stage'], git)).stdout);
  const submodules = staged
    .filter((line) => line.startsWith('160000 '))
    .map((line) => line.slice(line.indexOf('\t') + 1));
  if (submodules.length > 0) {
    await runGit(['update-index', '-z', '--force-remove', '--stdin'], {
      ...git,
      input: joinNames(submodules),
    });
  }
  await runGit(['checkout-index', '--all', '--force', '--index', '--quiet'], git);
  return readGit(['write-tree'], git);
}

async function applyInput(workspace: Workspace, input: ChangeSetWithContents, index: number): Promise<void> {
  const result = await applyChangeSet(workspace, input);
  if (result.outcome === 'applied') return;
  const reasons = result.files.map((file) => `${file.path}: ${file.excerpt}`);
  const paths = result.files.map((file) => file.path).join(', ');
  throw new PenstockError(
    'conflict',
    `input ${index + 1} does not apply to ${workspace.baseSha} and the inputs before it: ${paths}`,
    { reasons },
  );
}

async function commitInputs(workspace: Workspace, count: number): Promise<void> {
  if (count === 0) return;
  const base = gitIn(workspace);
  const git = { ...base, env: { ...base.env, ...IDENTITY } };
  const message = `Inputs: ${count} change sets`;
  const commit = await readGit(
    ['commit-tree', workspace.inputsTree, '-p', workspace.baseSha, '-m', message],
    git,
  );
  await runGit(['update-ref', '--no-deref', 'HEAD', commit], git);
}

/** So that `git status` or `git log` work in the agent's shell. Whatever it does to the copy, we don't look. */
async function copyForAgent(workspace: Workspace): Promise<void> {
  const copy = join(workspace.checkout, '.git');
  await cp(workspace.gitDirectory, copy, { recursive: true });
  await runGit(['config', '--file', join(copy, 'config'), 'core.bare', 'false'], {
    cwd: workspace.directory,
  });
}
