import type { Agent } from '../../messages/agent-file.ts';
import type { PlannedTask } from '../../messages/plan.ts';
import { modelTable } from '../models/model-table.ts';
import { priceOf } from '../models/price.ts';

/** A typical task of each lane, in tokens over all its turns: a rough guess that the plan page calls an estimate. */
const TYPICAL = {
  function: { input: 12_000, output: 3_000, cacheRead: 30_000, cacheWrite: 0 },
  job: { input: 30_000, output: 8_000, cacheRead: 150_000, cacheWrite: 0 },
};

/** Micro-dollars that the plan's tasks would use if each were typical for its lane and tier. */
export function estimatePlan(tasks: readonly PlannedTask[], agents: ReadonlyMap<string, Agent>): number {
  return tasks.reduce((sum, task) => {
    const agent = agents.get(task.agent);
    const model = modelTable.find(({ tier }) => tier === agent?.tier);
    if (agent === undefined || model === undefined) return sum;
    return sum + priceOf(TYPICAL[task.lane ?? agent.lane], model);
  }, 0);
}
