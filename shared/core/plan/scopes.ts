/** `new:` only says that the file does not exist yet. */
function pattern(scope: string): string {
  return scope.replace(/^new:/, '').replace(/^\.?\//, '');
}

/** The part of a glob before its first wildcard. */
function fixedPart(glob: string): string {
  const wildcard = glob.search(/[*?[{]/);
  return wildcard === -1 ? glob : glob.slice(0, wildcard);
}

/** Whether two globs may match a common path; errs towards yes. */
function mayOverlap(a: string, b: string): boolean {
  const [first, second] = [fixedPart(a), fixedPart(b)];
  if (first === a && second === b) return a === b || isInside(a, b) || isInside(b, a);
  return first.startsWith(second) || second.startsWith(first);
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder.replace(/\/$/, '')}/`);
}

/** Whether two tasks with these scopes may change the same file. */
export function overlappingScopes(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => b.some((other) => mayOverlap(pattern(one), pattern(other))));
}
