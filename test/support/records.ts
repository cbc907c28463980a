import { appendHistory } from '../../shared/core/history.ts';
import type { Run } from '../../shared/core/run.ts';
import type { Task, TaskAttempt } from '../../shared/core/task.ts';

const AT = Date.parse('2026-11-20T10:00:00Z');

/** A task as it is first stored, with what a test wants otherwise. */
export function taskOf(changes: Partial<Task> = {}): Task {
  const state = changes.state ?? 'pending';
  return {
    v: 1,
    id: 'api',
    run: 'run1',
    tenant: 'local',
    kind: 'work',
    title: 'api',
    agent: 'backend_developer',
    instructions: 'Do it.',
    acceptance: [],
    scope: [],
    lane: 'job',
    pool: 'specialist',
    optional: false,
    priority: 'normal',
    held: false,
    target: 0,
    depth: 0,
    dependencies: [],
    dependants: [],
    inputs: null,
    state,
    settled: state === 'succeeded',
    live: !['succeeded', 'failed', 'cancelled', 'skipped'].includes(state),
    allotmentMicroUsd: 100_000,
    maxAttempts: 3,
    rank: AT,
    notBefore: 0,
    leaseUntil: 0,
    attempts: [],
    createdAt: AT,
    updatedAt: AT,
    history: appendHistory([], { at: AT, state, by: 'test' }),
    ...changes,
  };
}

export function attemptOf(changes: Partial<TaskAttempt> = {}): TaskAttempt {
  const meter = {
    allowanceMicroUsd: 100_000,
    reservedMicroUsd: 0,
    spentMicroUsd: 0,
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    calls: 0,
  };
  return {
    generation: 1,
    agent: 'backend_developer',
    agentHash: 'hash',
    provider: 'script',
    startedAt: AT,
    hardLimitAt: AT + 1_800_000,
    meter,
    ...changes,
  };
}

/** A run with a checkout as its target, with what a test wants otherwise. */
export function runOf(changes: Partial<Run> = {}): Run {
  const stage = changes.stage ?? 'executing';
  return {
    v: 1,
    id: 'run1',
    tenant: 'local',
    title: 'Todos need a priority',
    requirement: 'Please.',
    targets: [
      {
        host: 'local-git',
        repository: '/repo',
        baseRef: 'main',
        baseSha: 'a'.repeat(40),
        headBranch: 'penstock/run1',
      },
    ],
    origin: { kind: 'api', actor: 'dana' },
    driver: 'direct',
    priority: 'normal',
    dryRun: false,
    pins: { version: '0.0.0', agentsHash: 'hash', configHash: 'hash' },
    budget: { limitMicroUsd: 2_000_000 },
    chargedMicroUsd: 2_000_000,
    stage,
    paused: false,
    steering: [],
    mail: 0,
    changeOrder: [],
    reviews: [{ id: 'review', agent: 'code_reviewer', instructions: 'Judge.' }],
    fixRounds: 0,
    integrations: 0,
    heads: [],
    unsettledOutside: false,
    createdAt: AT,
    updatedAt: AT,
    checkedAt: AT,
    history: appendHistory([], { at: AT, state: stage, by: 'test' }),
    ...changes,
  };
}
