import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { withAgentEdges } from '../../../../shared/core/plan/agent-edges.ts';
import { levelsOf } from '../../../../shared/core/plan/levels.ts';
import { createReach } from '../../../../shared/core/plan/reach.ts';
import { validatePlan } from '../../../../shared/core/plan/validate-plan.ts';
import type { Agent } from '../../../../shared/messages/agent-file.ts';
import { type PlannedTask, plannedTask } from '../../../../shared/messages/plan.ts';
import { POLICY, shippedAgents } from '../../../support/engine.ts';

const task = (id: string, agent: string, dependencies: string[] = []): PlannedTask =>
  plannedTask.parse({ id, agent, instructions: 'Do it.', dependencies });
const mayRunParallel = (agent: string): boolean => !agent.startsWith('alone');
const edges = (tasks: PlannedTask[]) =>
  Object.fromEntries(withAgentEdges(tasks, mayRunParallel).map(({ id, dependencies }) => [id, dependencies]));

describe('tasks of an agent that may not run parallel', () => {
  it('wait for each other, and those of another one do not', () => {
    const tasks = [
      task('a', 'alone'),
      task('b', 'many'),
      task('c', 'alone'),
      task('d', 'many'),
      task('e', 'alone'),
    ];
    expect(edges(tasks)).toEqual({ a: [], b: [], c: ['a'], d: [], e: ['c'] });
  });

  it('get no edge where one waits for the other already, however far away', () => {
    const tasks = [task('a', 'alone'), task('b', 'many', ['a']), task('c', 'alone', ['b'])];
    expect(edges(tasks)).toEqual({ a: [], b: ['a'], c: ['b'] });
  });

  it('wait in the order of the plan’s own edges, whatever the order of its list', () => {
    const tasks = [task('late', 'alone', ['other']), task('other', 'many'), task('early', 'alone')];
    expect(edges(tasks)).toEqual({ late: ['other', 'early'], other: [], early: [] });
  });

  it('get their edges in every plan that is accepted, by what their agent’s file says', async () => {
    const shipped = await shippedAgents();
    const backend = shipped.get('backend_developer');
    const alone = new Map([
      ...shipped,
      ['backend_developer', { ...backend, can_run_parallel: false } as Agent],
    ]);
    const tasks = [task('a', 'backend_developer'), task('b', 'backend_developer')];
    const dependenciesOfB = (agents: ReadonlyMap<string, Agent>) => {
      const verdict = validatePlan({ tasks }, agents, POLICY);
      return verdict.ok ? verdict.tasks[1]?.dependencies : verdict.reasons;
    };
    expect(dependenciesOfB(shipped)).toEqual([]);
    expect(dependenciesOfB(alone)).toEqual(['a']);
  });

  it('are never two at the same time, and make no cycle, in any plan', () => {
    const plan = fc
      .array(fc.tuple(fc.constantFrom('alone_1', 'alone_2', 'many'), fc.array(fc.nat(), { maxLength: 3 })), {
        maxLength: 15,
      })
      .map((given) =>
        given.map(([agent, to], at) => {
          const earlier = at === 0 ? [] : [...new Set(to.map((n) => `t${n % at}`))];
          return task(`t${at}`, agent, earlier);
        }),
      );
    fc.assert(
      fc.property(plan, (tasks) => {
        const result = withAgentEdges(tasks.toReversed(), mayRunParallel);
        expect(levelsOf(result).size).toBe(tasks.length);
        const reach = createReach(result);
        for (const [a, one] of result.entries())
          for (const [b, other] of result.entries())
            if (a < b && one.agent === other.agent && !mayRunParallel(one.agent))
              expect(reach.has(a, b) || reach.has(b, a)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
