import type { ChangeEntry, ChangeSet } from '../../messages/change-set.ts';
import { diffLines, type DiffLine } from './diff-lines.ts';

/** Unchanged lines around a change. */
const CONTEXT = 3;

/** A change set as a unified diff in git's form, cut at `maxBytes`. Without contents there is nothing but its names. */
export function renderDiff(
  { entries }: Pick<ChangeSet, 'entries'>,
  contents: ReadonlyMap<string, Uint8Array>,
  maxBytes: number,
): string {
  let text = '';
  for (const [index, entry] of entries.entries()) {
    const file = renderFile(entry, contents);
    if (Buffer.byteLength(text) + Buffer.byteLength(file) > maxBytes) {
      return `${text}… cut here: ${entries.length - index} of ${entries.length} files are not shown …\n`;
    }
    text += file;
  }
  return text;
}

function renderFile(entry: ChangeEntry, contents: ReadonlyMap<string, Uint8Array>): string {
  const before = entry.before === null ? undefined : contents.get(entry.before.blob);
  const after = entry.blob === null ? undefined : contents.get(entry.blob);
  const path = JSON.stringify(entry.path).slice(1, -1);
  const head = [`diff --git a/${path} b/${path}`, ...modeLines(entry)];
  if ([before, after].some((bytes) => bytes?.includes(0))) return `${head.join('\n')}\nBinary files differ\n`;
  const hunks = hunksOf(textOf(before), textOf(after));
  if (hunks.length === 0) return `${head.join('\n')}\n`;
  const names = [
    `--- ${entry.before === null ? '/dev/null' : `a/${path}`}`,
    `+++ ${entry.blob === null ? '/dev/null' : `b/${path}`}`,
  ];
  return `${[...head, ...names, ...hunks].join('\n')}\n`;
}

function modeLines({ before, mode }: ChangeEntry): string[] {
  if (before === null) return [`new file mode ${mode ?? ''}`];
  if (mode === null) return [`deleted file mode ${before.mode}`];
  return before.mode === mode ? [] : [`old mode ${before.mode}`, `new mode ${mode}`];
}

/** Lines, and whether the last one has no end. */
function textOf(bytes: Uint8Array | undefined): { lines: string[]; isOpen: boolean } {
  const text = new TextDecoder().decode(bytes);
  if (text === '') return { lines: [], isOpen: false };
  const isOpen = !text.endsWith('\n');
  return { lines: (isOpen ? text : text.slice(0, -1)).split('\n'), isOpen };
}

type Text = ReturnType<typeof textOf>;

function hunksOf(before: Text, after: Text): string[] {
  // A last line without its end is another line than the same with it.
  const marked = ({ lines, isOpen }: Text) =>
    lines.map((line, index) => (isOpen && index === lines.length - 1 ? `${line}${OPEN_END}` : line));
  const lines = diffLines(marked(before), marked(after));
  const hunks: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  let at = 0;
  for (const { from, to } of hunkRanges(lines)) {
    for (const { op } of lines.slice(at, from)) [oldLine, newLine] = next(op, oldLine, newLine);
    const shown = lines.slice(from, to);
    const removed = shown.filter(({ op }) => op !== '+').length;
    const added = shown.filter(({ op }) => op !== '-').length;
    hunks.push(`@@ -${range(oldLine, removed)} +${range(newLine, added)} @@`);
    hunks.push(...shown.map(({ op, text }) => `${op}${text}`));
    for (const { op } of shown) [oldLine, newLine] = next(op, oldLine, newLine);
    at = to;
  }
  return hunks;
}

const OPEN_END = '\n\\ No newline at end of file';

function next(op: DiffLine['op'], oldLine: number, newLine: number): [number, number] {
  return [oldLine + (op === '+' ? 0 : 1), newLine + (op === '-' ? 0 : 1)];
}

/** Of nothing, git names the line before. */
function range(start: number, count: number): string {
  return `${count === 0 ? start - 1 : start},${count}`;
}

/** Stretches of changes with their context, joined where they touch. */
function hunkRanges(lines: readonly DiffLine[]): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const [index, { op }] of lines.entries()) {
    if (op === ' ') continue;
    const from = Math.max(0, index - CONTEXT);
    const to = Math.min(lines.length, index + CONTEXT + 1);
    const last = ranges.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else ranges.push({ from, to });
  }
  return ranges;
}
