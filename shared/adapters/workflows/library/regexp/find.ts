import type { Program } from './program.ts';
import { isWordPoint, type Assertion } from './tree.ts';

/** Code points from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A state the automaton is in, and where the match began that led there. */
interface Thread {
  readonly state: number;
  readonly start: number;
}

/**
 * The first match at or after `from`: of those that begin leftmost, the longest. All possibilities are followed at
 * once, so that the time is bounded by the text's length times the pattern's size whatever the pattern is.
 */
export function findFirst(program: Program, points: readonly number[], from: number): Span | undefined {
  let threads: Thread[] = [];
  let best: Span | undefined;
  for (let at = from; at <= points.length; at += 1) {
    if (best === undefined) threads.push({ state: program.start, start: at });
    const { waiting, matchedFrom } = follow(program, threads, { points, at });
    // Threads are in the order of their beginnings, so one that matches rules out all behind it.
    if (matchedFrom !== undefined && matchedFrom <= (best?.start ?? matchedFrom))
      best = { start: matchedFrom, end: at };
    const limit = best?.start ?? Infinity;
    threads = advance(program, waiting, points[at]).filter(({ start }) => start <= limit);
    if (best !== undefined && threads.length === 0) return best;
  }
  return best;
}

/** All matches from left to right. An empty one right behind another does not count. */
export function findAll(program: Program, points: readonly number[]): Span[] {
  const spans: Span[] = [];
  let from = 0;
  while (from <= points.length) {
    const span = findFirst(program, points, from);
    if (span === undefined) break;
    const isEmpty = span.end === span.start;
    if (!isEmpty || span.start !== spans.at(-1)?.end) spans.push(span);
    from = isEmpty ? span.end + 1 : span.end;
  }
  return spans;
}

interface Place {
  readonly points: readonly number[];
  readonly at: number;
}

/** Goes through forks and assertions; what is left waits for a character. Each state is kept once, leftmost first. */
function follow(
  program: Program,
  threads: readonly Thread[],
  place: Place,
): { waiting: Thread[]; matchedFrom?: number } {
  const seen = new Set<number>();
  const waiting: Thread[] = [];
  let matchedFrom: number | undefined;
  for (const { state: first, start } of threads) {
    const stack = [first];
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      if (seen.has(state)) continue;
      seen.add(state);
      const instruction = program.states[state];
      if (instruction?.kind === 'fork') stack.push(...instruction.targets);
      else if (instruction?.kind === 'one') waiting.push({ state, start });
      else if (instruction?.kind === 'match') matchedFrom ??= start;
      else if (instruction !== undefined && HOLDS[instruction.assertion](place)) stack.push(instruction.next);
    }
  }
  return matchedFrom === undefined ? { waiting } : { waiting, matchedFrom };
}

function advance(program: Program, waiting: readonly Thread[], point: number | undefined): Thread[] {
  if (point === undefined) return [];
  const advanced: Thread[] = [];
  for (const { state, start } of waiting) {
    const instruction = program.states[state];
    if (instruction?.kind === 'one' && instruction.test(point))
      advanced.push({ state: instruction.next, start });
  }
  return advanced;
}

const NEWLINE = 0x0a;

const HOLDS: Readonly<Record<Assertion, (place: Place) => boolean>> = {
  textStart: ({ at }) => at === 0,
  textEnd: ({ points, at }) => at === points.length,
  lineStart: ({ points, at }) => at === 0 || points[at - 1] === NEWLINE,
  lineEnd: ({ points, at }) => at === points.length || points[at] === NEWLINE,
  wordEdge: ({ points, at }) => isWordAt(points, at - 1) !== isWordAt(points, at),
  noWordEdge: ({ points, at }) => isWordAt(points, at - 1) === isWordAt(points, at),
};

function isWordAt(points: readonly number[], at: number): boolean {
  const point = points[at];
  return point !== undefined && isWordPoint(point);
}
