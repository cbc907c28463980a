import type { CostView } from '../../messages/run-view.ts';
import type { Usage } from '../../ports/model.ts';
import type { Run } from '../run.ts';
import { spentMicroUsd, type Task } from '../task.ts';

/** What a run has spent, added up from the meters of its attempts. */
export function costView(run: Run, tasks: readonly Task[]): CostView {
  const meters = tasks.flatMap(({ attempts }) => attempts.map(({ meter }) => meter));
  return {
    budgetMicroUsd: run.budget.limitMicroUsd,
    spentMicroUsd: sum(meters, (meter) => meter.spentMicroUsd),
    reservedMicroUsd: sum(meters, (meter) => meter.reservedMicroUsd),
    calls: sum(meters, (meter) => meter.calls),
    usage: addUsage(meters.map(({ usage }) => usage)),
    simulated: tasks.some(({ attempts }) => attempts.some(({ provider }) => provider === 'script')),
    tasks: tasks.map((task) => ({
      task: task.id,
      agent: task.agent,
      spentMicroUsd: spentMicroUsd(task),
      calls: sum(task.attempts, ({ meter }) => meter.calls),
      usage: addUsage(task.attempts.map(({ meter }) => meter.usage)),
    })),
  };
}

function addUsage(usages: readonly Usage[]): Usage {
  return {
    input: sum(usages, ({ input }) => input),
    output: sum(usages, ({ output }) => output),
    cacheRead: sum(usages, ({ cacheRead }) => cacheRead),
    cacheWrite: sum(usages, ({ cacheWrite }) => cacheWrite),
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
