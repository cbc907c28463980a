import type { CheckResult } from '../../../shared/messages/change-set.ts';
import type { TranscriptLine } from '../../../shared/messages/transcript-line.ts';

interface TestRun {
  passed: boolean;
  text: string;
}

/** Red runs that are told one by one; of more, the first and the newest. */
const MAX_RED_RUNS = 3;
/** What the platform notes before it runs checks on files that the agent did not change. */
const BEFORE_CHANGES = /as they were before/;

/**
 * How the tests went during an attempt, from its transcript: `tests 12 ok`, `tests 11 ok, 1 failing → fixed → 12 ok`.
 * Empty where none were run. `checks` are the platform's own, after the agent's; the transcript may not have them yet.
 */
export function testStory(lines: readonly TranscriptLine[], checks: readonly CheckResult[]): string {
  const runs = [...testRuns(lines), ...checkRun(checks)];
  const last = runs.at(-1);
  if (last === undefined) return '';
  const red = bounded(distinct(runs.slice(0, -1).filter(({ passed }) => !passed)));
  const told = last.passed ? red : bounded(distinct([...red, last]));
  const story = told.map(({ text }) => text).join(' → ');
  if (!last.passed) return `tests ${story}`;
  return story === '' ? `tests ${last.text}` : `tests ${story} → fixed → ${last.text}`;
}

function testRuns(lines: readonly TranscriptLine[]): TestRun[] {
  const runs: TestRun[] = [];
  let isBeforeChanges = false;
  for (const line of lines) {
    if (line.kind === 'tool' && line.name === 'run_tests' && line.allowed) runs.push(toolRun(line));
    if (line.kind === 'checks' && !isBeforeChanges) runs.push(...checkRun(line.results));
    isBeforeChanges = line.kind === 'note' && BEFORE_CHANGES.test(line.text);
  }
  return runs;
}

function toolRun(line: Extract<TranscriptLine, { kind: 'tool' }>): TestRun {
  return { passed: !line.isError, text: counted([line.summary], !line.isError) };
}

/** The platform's checks as one run; none where no command was run. */
function checkRun(results: readonly CheckResult[]): TestRun[] {
  const ran = results.filter(({ command }) => command !== '');
  if (ran.length === 0) return [];
  const passed = ran.every((result) => result.passed);
  return [
    {
      passed,
      text: counted(
        ran.map(({ summary }) => summary),
        passed,
      ),
    },
  ];
}

/** `12 ok`, `11 ok, 1 failing`; where the runner's output was not understood, only how it ended. */
function counted(summaries: string[], passed: boolean): string {
  const sum = (word: string): number =>
    summaries
      .flatMap((text) => [...text.matchAll(new RegExp(`(\\d+) ${word}`, 'g'))])
      .reduce((total, match) => total + Number(match[1]), 0);
  const ok = sum('passed');
  const failing = sum('failed');
  if (ok + failing === 0) return passed ? 'ok' : 'failing';
  if (failing === 0 && !passed) return `${ok} ok, but a command failed`;
  return failing === 0 ? `${ok} ok` : `${ok} ok, ${failing} failing`;
}

function distinct(runs: TestRun[]): TestRun[] {
  return runs.filter((run, index) => index === 0 || run.text !== runs[index - 1]?.text);
}

function bounded(runs: TestRun[]): TestRun[] {
  const [first] = runs;
  return runs.length <= MAX_RED_RUNS || first === undefined ? runs : [first, ...runs.slice(1 - MAX_RED_RUNS)];
}
