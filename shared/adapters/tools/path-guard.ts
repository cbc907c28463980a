import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import picomatch from 'picomatch';
import { isDotGit, pathProblem } from '../../core/repository/validate-path.ts';

/** What the model asked for and cannot have; its message is for the model. */
export class Denied extends Error {}

export interface PathRules {
  /** Real path of the checkout. */
  checkout: string;
  /** Globs below the checkout that tools may reach. */
  paths: string[];
  /** Globs that may be changed, where the repository says so. */
  writablePaths?: string[] | undefined;
}

export interface PathGuard {
  /** Whether a path (relative, as git names it) may be shown. */
  isVisible(path: string): boolean;
  /** Absolute path of an existing file or folder, after its links were resolved inside the checkout. Throws {@link Denied}. */
  toRead(path: string): Promise<string>;
  /** Absolute path of a file that may be written; it and its folders may be missing. Throws {@link Denied}. */
  toWrite(path: string): Promise<string>;
}

/** Default deny: a path must be inside the checkout by its real name, outside `.git`, and match a glob. */
export function createPathGuard({ checkout, paths, writablePaths }: PathRules): PathGuard {
  const matches = picomatch(paths, { dot: true });
  const matchesWritable = writablePaths === undefined ? () => true : picomatch(writablePaths, { dot: true });
  const isVisible = (path: string): boolean => matches(path) && !path.split('/').some(isDotGit);

  /** Relative real path, or a denial. */
  const inside = (real: string, asked: string): string => {
    const path = relative(checkout, real).split(sep).join('/');
    if (path === '..' || path.startsWith('../')) throw new Denied(`${asked} leads out of the repository`);
    if (path.split('/').some(isDotGit))
      throw new Denied(`${asked} reaches into .git, which tools never read or write`);
    return path;
  };

  return {
    isVisible,
    async toRead(asked) {
      const path = cleaned(asked);
      const real = await realpath(join(checkout, path)).catch(() => undefined);
      if (real === undefined) throw new Denied(`${asked} does not exist`);
      const found = inside(real, asked);
      const isFolder = (await lstat(real)).isDirectory();
      // What is below a folder is looked at one by one.
      if (!isFolder && !isVisible(found))
        throw new Denied(`${asked} is not among the paths that you may read`);
      return real;
    },
    async toWrite(asked) {
      const path = cleaned(asked);
      const problem = pathProblem(path);
      if (problem !== undefined) throw new Denied(`${asked} ${problem}`);
      const target = join(checkout, path);
      const folder = await realFolder(dirname(target));
      const found = inside(join(folder, basename(target)), asked);
      if (found !== path) throw new Denied(`${asked} goes through a symbolic link; write to ${found} itself`);
      if (!isVisible(found) || !matchesWritable(found))
        throw new Denied(`${asked} is not among the paths that you may change`);
      const stats = await lstat(target).catch(() => undefined);
      if (stats !== undefined && !stats.isFile()) throw new Denied(`${asked} is not a regular file`);
      return target;
    },
  };
}

/** Models like a leading `./` and a trailing `/`. */
function cleaned(path: string): string {
  if (path.includes('\0')) throw new Denied('a path has no NUL character');
  if (path.startsWith('/'))
    throw new Denied(`${path} is absolute; paths are relative to the repository's root`);
  const clean = path.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
  if (clean.split('/').includes('..')) throw new Denied(`${path} leads out of the repository`);
  if (clean.split('/').some(isDotGit))
    throw new Denied(`${path} reaches into .git, which tools never read or write`);
  return clean === '' ? '.' : clean;
}

/** Real path of a folder that may not exist yet: that of its nearest parent that does, plus the rest. */
async function realFolder(folder: string): Promise<string> {
  const real = await realpath(folder).catch(() => undefined);
  if (real !== undefined) return real;
  const stats = await lstat(folder).catch(() => undefined);
  if (stats !== undefined) throw new Denied(`${basename(folder)} is a link that leads nowhere`);
  return join(await realFolder(dirname(folder)), basename(folder));
}
