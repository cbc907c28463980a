import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readGit, runGit } from '../../../../shared/adapters/local/git-command.ts';
import {
  prepareWorkspace,
  type WorkspaceRequest,
} from '../../../../shared/adapters/workspace/prepare-workspace.ts';
import type { Workspace } from '../../../../shared/adapters/workspace/workspace.ts';

export interface TestRepository {
  root: string;
  url: string;
  baseSha: string;
  /** Commits files on top of main and answers the SHA; `undefined` deletes. */
  commit(files: Record<string, string | Uint8Array | undefined>): Promise<string>;
  prepare(change?: Partial<WorkspaceRequest>): Promise<Workspace>;
  remove(): Promise<void>;
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@localhost',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@localhost',
};
let counter = 0;

/** A real repository in a temporary folder, with two commits of which the second is the base. */
export async function makeRepository(files: Record<string, string | Uint8Array>): Promise<TestRepository> {
  const root = await mkdtemp(join(tmpdir(), 'penstock-repository-'));
  const url = join(root, 'origin');
  await mkdir(url);
  const git = { cwd: url, env: IDENTITY };
  await runGit(['init', '--quiet', '--initial-branch=main'], git);
  const commit: TestRepository['commit'] = async (changes) => {
    await write(url, changes);
    await runGit(['add', '--all', '--force'], git);
    await runGit(['commit', '--quiet', '--allow-empty', '-m', 'change'], git);
    return readGit(['rev-parse', 'HEAD'], git);
  };
  await commit({ 'first.txt': 'first\n' });
  const baseSha = await commit({ 'first.txt': undefined, ...files });
  return {
    root,
    url,
    baseSha,
    commit,
    prepare: (change = {}) =>
      prepareWorkspace({
        directory: join(root, `attempt-${++counter}`),
        service: 'app',
        clone: { url },
        baseSha,
        ...change,
      }),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

export async function write(
  folder: string,
  files: Record<string, string | Uint8Array | undefined>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    if (content === undefined) await rm(file, { recursive: true, force: true });
    else if (typeof content === 'string' && content.startsWith('-> ')) await symlink(content.slice(3), file);
    else await writeFile(file, content);
    if (path.endsWith('.sh') && content !== undefined) await chmod(file, 0o755);
  }
}
