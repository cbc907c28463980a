import { describe, expect, it } from '@jest/globals';
import { failed, succeeded, withdrawn } from '../../../shared/core/ended-attempt.ts';
import { fitEnd, MAX_TASK_BYTES } from '../../../shared/core/fit-end.ts';
import { storedBytes } from '../../../shared/core/intake/sanitise-text.ts';
import { MAX_ATTEMPTS, type Task, type TaskResult } from '../../../shared/core/task.ts';
import { MAX_SUMMARY_CHARS } from '../../../shared/messages/attempt-api.ts';
import type { CheckResult } from '../../../shared/messages/change-set.ts';
import { MAX_DOCUMENT_BYTES } from '../../../shared/ports/store.ts';
import { POLICY, shippedAgents } from '../../support/engine.ts';
import { attemptOf, taskOf } from '../../support/records.ts';

const agents = await shippedAgents();
const NOW = Date.parse('2026-11-20T11:00:00Z');
/** Takes three bytes. */
const WIDE = '漢';

function runningOf(bytes: number, changes: Partial<Task> = {}): Task {
  const task = taskOf({ state: 'running', attempts: [attemptOf()], ...changes });
  const left = bytes - storedBytes(task) + storedBytes(task.instructions) - 2;
  const instructions = WIDE.repeat(Math.floor(left / 3));
  return { ...task, instructions: instructions + 'x'.repeat(left - storedBytes(instructions) + 2) };
}

function failing(task: Task, message: string): Task {
  const attempt = task.attempts.at(-1);
  if (attempt === undefined) throw new Error('no attempt');
  return failed(
    task,
    attempt,
    { code: 'lost', message },
    { now: NOW, fraction: 0, ports: { policy: POLICY, agents } },
  );
}

function resultOf(checks: CheckResult[], changes: Partial<TaskResult> = {}): TaskResult {
  return { summary: 'done', checks, filesRead: 0, ...changes };
}

const check = (n: number, passed: boolean): CheckResult => ({
  command: `npm run check-${n}`,
  exitCode: passed ? 0 : 1,
  passed,
  summary: passed ? '1 passed' : '1 failed',
  outputTail: `${WIDE.repeat(2_000)} the end of ${n}`,
  durationMs: 1,
});

describe('The end of an attempt', () => {
  it('can be written ten times into a task of the largest size, whatever each says', () => {
    let task = runningOf(MAX_TASK_BYTES, { maxAttempts: MAX_ATTEMPTS, attempts: [] });
    for (let generation = 1; generation <= MAX_ATTEMPTS; generation += 1) {
      task = { ...task, state: 'running', attempts: [...task.attempts, attemptOf({ generation })] };
      task = failing(task, WIDE.repeat(MAX_SUMMARY_CHARS));
      expect(storedBytes(task)).toBeLessThanOrEqual(MAX_DOCUMENT_BYTES);
      expect(task.attempts.at(-1)?.exit?.message).toMatch(/^漢{100}/);
    }
    expect(task.state).toBe('failed');
  });

  it('says as much as ever where its message is of usual length', () => {
    const message = 'x'.repeat(MAX_SUMMARY_CHARS);
    let task = taskOf({ maxAttempts: 3 });
    for (const generation of [1, 2, 3]) {
      task = { ...task, state: 'running', attempts: [...task.attempts, attemptOf({ generation })] };
      task = failing(task, message);
    }
    expect(task.attempts.map(({ exit }) => exit?.message)).toEqual([message, message, message]);
  });

  it('keeps the verdicts of 60 noisy checks, and of what they printed first the ends of those that failed', () => {
    const checks = Array.from({ length: 60 }, (_, n) => check(n, n % 10 !== 3));
    const ended = succeeded(runningOf(MAX_TASK_BYTES), attemptOf(), resultOf(checks), NOW);
    expect(storedBytes(ended)).toBeLessThanOrEqual(MAX_DOCUMENT_BYTES);
    const stored = ended.result?.checks ?? [];
    const verdict = ({ command, passed, exitCode, summary }: CheckResult) => [
      command,
      passed,
      exitCode,
      summary,
    ];
    expect(stored.map(verdict)).toEqual(checks.map(verdict));
    const tails = stored.filter(({ passed }) => !passed).map(({ outputTail }) => outputTail);
    expect(tails.map((tail) => /the end of \d+$/.test(tail))).toEqual(tails.map(() => true));
    expect(Math.max(...tails.map(storedBytes)) - Math.min(...tails.map(storedBytes))).toBeLessThan(20);
    expect(tails.length).toBe(6);
  });

  it('keeps the verdict of a review whose remarks have no room', () => {
    const remarks = Array.from({ length: 100 }, (_, n) => ({
      path: `src/${n}.ts`,
      text: WIDE.repeat(1_000),
    }));
    const review = { verdict: 'request_changes' as const, summary: 'no', remarks };
    const ended = succeeded(runningOf(20_000), attemptOf(), resultOf([], { review }), NOW);
    expect(storedBytes(ended)).toBeLessThanOrEqual(MAX_DOCUMENT_BYTES);
    expect(ended.result?.review).toMatchObject({ verdict: 'request_changes', summary: 'no' });
    expect(ended.result?.review?.remarks).toHaveLength(100);
  });

  it('leaves a record as it is that has room', () => {
    const task = taskOf({ result: resultOf([check(1, true)]) });
    expect(fitEnd(task)).toBe(task);
  });

  it.each([
    ['lost', (task: Task) => failing(task, WIDE.repeat(1_000))],
    ['withdrawn', (task: Task) => withdrawn(task, { at: NOW, by: 'engine', note: 'dead_letter' })],
    ['succeeded', (task: Task) => succeeded(task, attemptOf(), resultOf([check(1, false)]), NOW)],
  ])('is written, without its texts, into a record that was full before: %s', (_, end) => {
    const full = runningOf(MAX_DOCUMENT_BYTES - 32);
    const ended = end(full);
    expect(storedBytes(ended)).toBeLessThanOrEqual(MAX_DOCUMENT_BYTES);
    expect(ended.attempts[0]?.exit?.outcome).toBeDefined();
    expect(ended.leaseUntil).toBe(0);
  });
});
