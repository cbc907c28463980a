/** `new:` only says that the file does not exist yet. */
export function pattern(scope: string): string {
  return scope.replace(/^new:/, '').replace(/^\.?\//, '');
}

/** The part of a glob before its first wildcard; a path is all fixed. */
export function fixedPart(glob: string): string {
  const wildcard = glob.search(/[*?[{]/);
  return wildcard === -1 ? glob : glob.slice(0, wildcard);
}

export function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder.replace(/\/$/, '')}/`);
}
