import type { PlanProposal } from '../../shared/messages/plan.ts';
import {
  costView,
  planView,
  runEvent,
  runView,
  taskView,
  type CostView,
  type PlanView,
  type RunEvent,
  type RunView,
  type TaskView,
} from '../../shared/messages/run-view.ts';
import {
  transcriptLine,
  type TranscriptEntry,
  type TranscriptLine,
} from '../../shared/messages/transcript-line.ts';

const START = Date.parse('2026-11-20T10:00:00.000Z');
const SHA = '1c9e2ab0'.padEnd(40, '0');

/** Seconds after the run was accepted, as the API writes times. */
export function timeAt(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

export function aRun(change: Partial<RunView> & { id: string }): RunView {
  return runView.parse({
    title: 'Todos need a priority',
    requirement: 'Todos need a priority',
    stage: 'executing',
    repository: '/home/dana/todo',
    baseRef: 'main',
    baseSha: SHA,
    headBranch: `penstock/${change.id}`,
    origin: { kind: 'cli', actor: 'local' },
    driver: 'direct',
    priority: 'normal',
    dryRun: false,
    budgetMicroUsd: 2_000_000,
    checksFrom: ['package.json: npm test'],
    createdAt: timeAt(0),
    updatedAt: timeAt(0),
    history: [],
    ...change,
  });
}

export function aTask(change: Partial<TaskView> & { id: string }): TaskView {
  return taskView.parse({
    run: '7f3a',
    kind: 'work',
    title: change.id,
    agent: 'backend_developer',
    lane: 'job',
    state: 'succeeded',
    dependencies: [],
    optional: false,
    instructions: 'do it',
    acceptance: [],
    scope: [],
    spentMicroUsd: 50_000,
    allotmentMicroUsd: 200_000,
    checks: [],
    attempts: [anAttempt(1)],
    history: [],
    ...change,
  });
}

export function anAttempt(
  generation: number,
  exit: { outcome: string; code?: string; message?: string } = { outcome: 'succeeded' },
): TaskView['attempts'][number] {
  const usage = { input: 100, output: 20, cacheRead: 0, cacheWrite: 0 };
  const meter = { allowanceMicroUsd: 200_000, reservedMicroUsd: 0, spentMicroUsd: 50_000, usage, calls: 3 };
  return {
    generation,
    agent: 'backend_developer',
    agentHash: 'f'.repeat(64),
    model: 'claude-sonnet-5-5',
    state: exit.outcome,
    startedAt: timeAt(1),
    endedAt: timeAt(3),
    meter,
    exit,
  };
}

export function aPlan(tasks: PlanProposal['tasks']): PlanView {
  return planView.parse({ hash: 'a'.repeat(64), summary: 'Two modules in parallel.', tasks });
}

export function planned(id: string, dependencies: string[] = []): PlanProposal['tasks'][number] {
  return {
    id,
    agent: 'backend_developer',
    instructions: `do ${id}`,
    dependencies,
    acceptance: ['npm test passes'],
    scope: [],
    optional: false,
  };
}

export function aCost(change: Partial<CostView> = {}): CostView {
  const usage = { input: 5_000, output: 700, cacheRead: 1_000, cacheWrite: 0 };
  return costView.parse({
    budgetMicroUsd: 2_000_000,
    spentMicroUsd: 310_000,
    reservedMicroUsd: 0,
    calls: 24,
    usage,
    simulated: true,
    tasks: [],
    ...change,
  });
}

/** Numbers events from 1, in the order given. */
export function someEvents(
  run: string,
  events: { at: number; task?: string; state: string; by?: string; note?: string }[],
): RunEvent[] {
  return events.map(({ at, by, ...event }, index) =>
    runEvent.parse({
      v: 1,
      seq: index + 1,
      type: 'status_update',
      at: timeAt(at),
      run,
      by: by ?? 'engine',
      ...event,
    }),
  );
}

/** Numbers lines from 0. */
export function someLines(entries: TranscriptEntry[]): TranscriptLine[] {
  return entries.map((entry, seq) => transcriptLine.parse({ v: 1, seq, at: START + seq, ...entry }));
}

export function ranTests(passed: boolean, summary: string): TranscriptEntry {
  return {
    kind: 'tool',
    name: 'run_tests',
    input: '{}',
    allowed: true,
    isError: !passed,
    summary: `${passed ? 'passed' : 'failed'}: ${summary}`,
    ms: 900,
  };
}

export function aCheck(passed: boolean, summary: string, command = 'npm test'): TaskView['checks'][number] {
  return {
    command,
    exitCode: passed ? 0 : 1,
    passed,
    summary,
    outputTail: passed ? '' : 'expected 1 to be 2',
    durationMs: 800,
  };
}
