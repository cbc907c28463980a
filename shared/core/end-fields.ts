import type { Meter } from '../messages/attempt-api.ts';
import type { LogFields } from '../ports/log.ts';
import type { Run } from './run.ts';
import { currentAttempt, type Task } from './task.ts';
import { costView } from './views/cost-view.ts';

/**
 * What an ended run is measured by, as numbers of its line in the log (S-01, 003-113 to 003-121). Terraform's metrics
 * read these fields by name. `tasks`: all of the run's.
 */
export function runEndFields(run: Run, tasks: readonly Task[]): LogFields {
  const { simulated, ...used } = costView(run, tasks);
  return {
    tenant: run.tenant,
    run: run.id,
    reason: run.reason?.code,
    driver: run.driver,
    seconds: secondsBetween(run.createdAt, run.endedAt ?? run.updatedAt),
    attempts: tasks.reduce((sum, task) => sum + task.attempts.length, 0),
    touches: run.touches ?? 0,
    simulated,
    ...usedFields(used),
  };
}

/** The same of a task's newest attempt, when that has ended. */
export function attemptEndFields(task: Task): LogFields {
  const { tenant, run, id, lane } = task;
  const attempt = currentAttempt(task);
  if (attempt === undefined) return { tenant, run, task: id };
  const { generation, agent, provider, model, startedAt, endedAt, exit, meter } = attempt;
  return {
    tenant,
    run,
    task: id,
    generation,
    agent,
    lane,
    provider,
    model,
    code: exit?.code,
    seconds: secondsBetween(startedAt, endedAt ?? task.updatedAt),
    ...usedFields(meter),
  };
}

function usedFields({ spentMicroUsd, usage, calls }: Pick<Meter, 'spentMicroUsd' | 'usage' | 'calls'>) {
  return {
    spentUsd: spentMicroUsd / 1e6,
    calls,
    inputTokens: usage.input,
    outputTokens: usage.output,
    cacheReadTokens: usage.cacheRead,
    cacheWriteTokens: usage.cacheWrite,
  };
}

function secondsBetween(from: number, to: number): number {
  return (to - from) / 1_000;
}
