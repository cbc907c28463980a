/** Longest path that is taken, in UTF-8 bytes; Linux takes 4,096, other systems of the repository's users less. */
export const MAX_PATH_BYTES = 1_000;
const MAX_SEGMENT_BYTES = 255;

// What HFS+ leaves out when it compares names, as in git's own `next_hfs_char`.
const HFS_IGNORABLE = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** `git~1` is NTFS's short name of `.git`; `gi7eba~1` and its like are the hashed ones git refuses too. */
const NTFS_SHORT_NAME = /^(git~\d+|gi7eba~\d|gi[0-9a-f]{4}~\d)$/;

/** Whether some file system could take this one path segment for `.git`, as git's protectHFS and protectNTFS judge. */
export function isDotGit(segment: string): boolean {
  const visible = segment.replace(HFS_IGNORABLE, '').normalize('NFKC').toLowerCase();
  // NTFS drops dots and blanks at the end, and `:` starts the name of a stream.
  const onWindows = visible.split(':')[0]!.replace(/[. ]+$/, '');
  return onWindows === '.git' || NTFS_SHORT_NAME.test(onWindows);
}

/** Why a path cannot stand in a change set, or `undefined`. Relative, NFC, `/`-separated, and safe on every system. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  if (path.includes('\\')) return 'has a backslash';
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path)) return 'has a control character';
  if (!path.isWellFormed() || path.includes('\ufffd')) return 'is not UTF-8';
  if (path.normalize('NFC') !== path) return 'is not in Unicode normal form C';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  return path
    .split('/')
    .map(segmentProblem)
    .find((problem) => problem !== undefined);
}

function segmentProblem(segment: string): string | undefined {
  if (segment === '') return 'has an empty segment';
  if (segment === '.' || segment === '..') return `has a "${segment}" segment`;
  if (isDotGit(segment)) return 'reaches into .git';
  return Buffer.byteLength(segment) > MAX_SEGMENT_BYTES
    ? `has a segment over ${MAX_SEGMENT_BYTES} bytes`
    : undefined;
}
