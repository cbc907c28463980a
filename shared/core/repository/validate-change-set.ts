import {
  changeSet as changeSetSchema,
  MAX_CHANGED_FILE_BYTES,
  MAX_CHANGED_FILES,
  type ChangeEntry,
  type ChangeSet,
} from '../../messages/change-set.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { pathProblem } from './validate-path.ts';

/** Of all files of a change set after it: what one attempt can propose. */
export const MAX_CHANGE_SET_BYTES = 20 * 1024 * 1024;
/** Reasons are for a person or a model to read. */
const MAX_REASONS = 50;

/** Every reason why a change set cannot be committed; none means that it can. Takes anything, such as a parsed body. */
export function changeSetProblems(value: unknown): string[] {
  const parsed = changeSetSchema.safeParse(value);
  // Shape problems hide no path problem: entries that are readable are looked at all the same.
  const shape = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const entries = parsed.success ? parsed.data.entries : readableEntries(value);
  return [
    ...shape,
    ...entriesProblems(entries.slice(0, MAX_CHANGED_FILES)),
    ...(entries.length > MAX_CHANGED_FILES
      ? [`${entries.length} files; at most ${MAX_CHANGED_FILES} are taken`]
      : []),
  ].slice(0, MAX_REASONS);
}

/** The change set, or `invalid` with every reason. */
export function validateChangeSet(value: unknown): ChangeSet {
  const reasons = changeSetProblems(value);
  if (reasons.length === 0) return changeSetSchema.parse(value);
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  throw new PenstockError('invalid', `the change set is refused: ${reasons[0]}${more}; nothing was applied`, {
    reasons,
  });
}

type Entry = Pick<ChangeEntry, 'path'> & Partial<ChangeEntry>;

function readableEntries(value: unknown): Entry[] {
  if (typeof value !== 'object' || value === null || !('entries' in value) || !Array.isArray(value.entries))
    return [];
  return value.entries.filter(
    (entry: unknown): entry is Entry =>
      typeof entry === 'object' && entry !== null && 'path' in entry && typeof entry.path === 'string',
  );
}

function entriesProblems(entries: Entry[]): string[] {
  const bytes = entries.reduce((sum, entry) => sum + (typeof entry.bytes === 'number' ? entry.bytes : 0), 0);
  const total = `${bytes} bytes in all; at most ${MAX_CHANGE_SET_BYTES} are taken`;
  return [
    ...entries.flatMap(entryProblems),
    ...collisions(entries),
    ...(bytes > MAX_CHANGE_SET_BYTES ? [total] : []),
  ];
}

function entryProblems(entry: Entry): string[] {
  const name = JSON.stringify(entry.path.slice(0, 200));
  const path = pathProblem(entry.path);
  const deleted = entry.mode === null;
  return [
    ...(path === undefined ? [] : [`${name} ${path}`]),
    ...(entry.mode !== undefined && deleted !== (entry.blob === null)
      ? [`${name} has a mode without contents or contents without a mode`]
      : []),
    ...(deleted && entry.before === null ? [`${name} is deleted but was not there before`] : []),
    ...(deleted && entry.bytes !== 0 ? [`${name} is deleted but has bytes`] : []),
    ...((entry.bytes ?? 0) > MAX_CHANGED_FILE_BYTES
      ? [`${name} is over ${MAX_CHANGED_FILE_BYTES} bytes`]
      : []),
  ];
}

/** Duplicates, names that differ only in case, and a file that is also a folder of another file. */
function collisions(entries: Entry[]): string[] {
  const kept = new Map<string, string>();
  const reasons: string[] = [];
  const seen = new Set<string>();
  for (const { path, mode } of entries) {
    if (seen.has(path)) reasons.push(`${JSON.stringify(path)} stands twice`);
    seen.add(path);
    // A rename that only changes case deletes one name and writes the other: only what stays can collide.
    if (mode === null) continue;
    const other = kept.get(fold(path));
    if (other !== undefined && other !== path)
      reasons.push(`${JSON.stringify(path)} and ${JSON.stringify(other)} differ only in case`);
    kept.set(fold(path), path);
  }
  for (const path of kept.values()) {
    const folder = parents(path)
      .map((parent) => kept.get(fold(parent)))
      .find((found) => found !== undefined);
    if (folder !== undefined)
      reasons.push(`${JSON.stringify(folder)} is a file and a folder of ${JSON.stringify(path)}`);
  }
  return reasons;
}

const fold = (path: string): string => path.normalize('NFC').toLowerCase().toUpperCase();

function parents(path: string): string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}
