import { join } from 'node:path';
import type { GitOptions } from '../local/git-command.ts';

/**
 * What one attempt has on disk. Commands of the agent may write to `checkout` and `home` only. Git's own folder is not
 * among them: whoever writes git's configuration decides what programs our git starts.
 */
export interface Workspace {
  /** Root of all of it. */
  directory: string;
  /** The repository, or the package of a monorepo. */
  service: string;
  /** `{directory}/workspace/{service}`. Its `.git` is a copy for the agent's own use; nothing of ours reads it. */
  checkout: string;
  gitDirectory: string;
  /** HOME of set-up and test commands, so that what set-up downloads is there for the tests. */
  home: string;
  baseSha: string;
  /** Tree of the base with the inputs applied, without submodules: what changes are relative to. */
  inputsTree: string;
}

export type WorkspacePaths = Pick<Workspace, 'directory' | 'service' | 'checkout' | 'gitDirectory' | 'home'>;

export function workspacePaths(directory: string, service: string): WorkspacePaths {
  return {
    directory,
    service,
    checkout: join(directory, 'workspace', service),
    gitDirectory: join(directory, 'git', `${service}.git`),
    home: join(directory, 'home'),
  };
}

/** Names that git refuses on Windows and macOS are refused here too; bytes are what they are in the repository. */
const SETTINGS = {
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.autocrlf': 'false',
  'core.attributesFile': '/dev/null',
  'diff.ignoreSubmodules': 'all',
  'submodule.recurse': 'false',
};

/** How to run git on a workspace: with the platform's git folder, whatever `.git` the checkout holds. */
export function gitIn(
  workspace: Pick<Workspace, 'checkout' | 'gitDirectory'>,
  settings: Record<string, string> = {},
): GitOptions & { env: Record<string, string> } {
  const pairs = Object.entries({ ...SETTINGS, ...settings });
  const numbered = pairs.flatMap(([key, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    cwd: workspace.checkout,
    env: {
      GIT_DIR: workspace.gitDirectory,
      GIT_WORK_TREE: workspace.checkout,
      GIT_CONFIG_COUNT: String(pairs.length),
      ...Object.fromEntries(numbered),
    },
  };
}

/** Git's names are bytes: Latin-1 keeps each as one character, and gives the same bytes back. */
export function splitNames(output: Buffer): string[] {
  return output.toString('latin1').split('\0').slice(0, -1);
}

export function joinNames(names: readonly string[]): Buffer {
  return Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1');
}

/** The name as text; what is not UTF-8 has replacement characters, which no valid path has. */
export function nameText(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}
