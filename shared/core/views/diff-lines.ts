import { diff } from 'node:util';

export interface DiffLine {
  op: ' ' | '+' | '-';
  text: string;
}

/** Time and memory of a comparison grow with the square of this; above it a file is shown as replaced. */
const MAX_COMPARED_LINES = 3_000;

/** What turns one text into another, line by line; removed lines before added ones. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const head = commonHead(before, after);
  const tail = commonTail(before.slice(head), after.slice(head));
  const middle = compare(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  return [
    ...as(' ', before.slice(0, head)),
    ...removedFirst(middle),
    ...as(' ', before.slice(before.length - tail)),
  ];
}

function compare(before: readonly string[], after: readonly string[]): DiffLine[] {
  const isTooLong = before.length + after.length > MAX_COMPARED_LINES;
  if (isTooLong || before.length === 0 || after.length === 0) return [...as('-', before), ...as('+', after)];
  return diff(after, before).map(([op, text]) => ({ op: op === 0 ? ' ' : op === 1 ? '+' : '-', text }));
}

function removedFirst(lines: readonly DiffLine[]): DiffLine[] {
  const ordered: DiffLine[] = [];
  let added: DiffLine[] = [];
  for (const line of lines) {
    if (line.op === '+') added.push(line);
    else {
      if (line.op === ' ') {
        ordered.push(...added);
        added = [];
      }
      ordered.push(line);
    }
  }
  return [...ordered, ...added];
}

function commonHead(a: readonly string[], b: readonly string[]): number {
  const length = Math.min(a.length, b.length);
  let count = 0;
  while (count < length && a[count] === b[count]) count += 1;
  return count;
}

function commonTail(a: readonly string[], b: readonly string[]): number {
  const length = Math.min(a.length, b.length);
  let count = 0;
  while (count < length && a.at(-1 - count) === b.at(-1 - count)) count += 1;
  return count;
}

function as(op: DiffLine['op'], lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ op, text }));
}
