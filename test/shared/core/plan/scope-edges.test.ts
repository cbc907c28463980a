import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createReach, type Reach } from '../../../../shared/core/plan/reach.ts';
import { withScopeEdges } from '../../../../shared/core/plan/scope-edges.ts';
import { type PlannedTask, plannedTask } from '../../../../shared/messages/plan.ts';

const nobody = () => false;
type Given = Partial<PlannedTask> & { id: string };
const planOf = (tasks: Given[]): PlannedTask[] =>
  tasks.map((task) => plannedTask.parse({ agent: 'backend_developer', instructions: 'Do it.', ...task }));
const edgesOf = (tasks: readonly PlannedTask[]): number =>
  tasks.reduce((sum, { dependencies }) => sum + dependencies.length, 0);

/** The rule as it reads, scope against scope: slow, and so short that it cannot be wrong. */
function mayShareFiles(a: string[], b: string[]): boolean {
  const parts = (scope: string) => {
    const path = scope.replace(/^new:/, '').replace(/^\.?\//, '');
    return { path, fixed: /^[^*?[{]*/.exec(path)?.[0] ?? '' };
  };
  const folder = (path: string) => `${path.replace(/\/$/, '')}/`;
  return a.map(parts).some((one) =>
    b.map(parts).some((other) => {
      const areFiles = one.fixed === one.path && other.fixed === other.path;
      if (!areFiles) return one.fixed.startsWith(other.fixed) || other.fixed.startsWith(one.fixed);
      const { path } = other;
      return one.path === path || one.path.startsWith(folder(path)) || path.startsWith(folder(one.path));
    }),
  );
}

/** Who waits for whom, each with each. */
const pairsOf = (reach: Reach, tasks: readonly PlannedTask[]): boolean[][] =>
  tasks.map((_from, from) => tasks.map((_to, to) => reach.has(from, to)));

/** Edges pair by pair, in order of the plan. */
function slowly(tasks: readonly PlannedTask[]): { reach: Reach; edges: number } {
  const reach = createReach(tasks);
  let edges = edgesOf(tasks);
  for (const [index, task] of tasks.entries()) {
    for (const [earlier, other] of tasks.slice(0, index).entries()) {
      if (!mayShareFiles(task.scope, other.scope)) continue;
      if (reach.has(index, earlier) || reach.has(earlier, index)) continue;
      reach.add(index, earlier);
      edges += 1;
    }
  }
  return { reach, edges };
}

const scope = fc.constantFrom(
  '**',
  '*.md',
  'src',
  'src/',
  './src/**',
  'src/a.ts',
  'new:src/a.ts',
  'src/a.tsx',
  'src/a*',
  'src/b/',
  'src/b/c.ts',
  'src/{a,b}',
  'srcs',
  'docs/*',
  '/docs/x.md',
);
const plan = fc
  .array(
    fc.record({
      scope: fc.array(scope, { maxLength: 3 }),
      /** Where it stands in the list says nothing of who waits for whom: `rank` does. */
      rank: fc.nat({ max: 1_000 }),
      waitsFor: fc.array(fc.nat({ max: 11 }), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((given) =>
    planOf(
      given.map((task, index) => ({
        id: `t${index}`,
        scope: task.scope,
        dependencies: [...new Set(task.waitsFor)]
          .filter((other) => (given[other]?.rank ?? Infinity) < task.rank)
          .map((other) => `t${other}`),
      })),
    ),
  );

describe('edges between tasks that may change the same files', () => {
  it('order the same tasks as comparing every pair does, with no more edges, each between two that share files', () => {
    fc.assert(
      fc.property(plan, (tasks) => {
        const expected = slowly(tasks);
        const given = withScopeEdges(tasks, nobody);
        expect(pairsOf(createReach(given), tasks)).toEqual(pairsOf(expected.reach, tasks));
        expect(edgesOf(given)).toBeLessThanOrEqual(expected.edges);
        for (const [index, { scope: own, dependencies }] of given.entries()) {
          for (const added of dependencies.slice(tasks[index]?.dependencies.length))
            expect(mayShareFiles(own, tasks[Number(added.slice(1))]?.scope ?? [])).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['all change everything', (n: number) => ['**', `src/${n}.ts`], 999],
    [
      'each changes files of its own',
      (n: number) => Array.from({ length: 40 }, (_, m) => `src/${n}/${m}.ts`),
      0,
    ],
    [
      'every other one changes a folder that the others change files of',
      (n: number) => [n % 2 ? 'src/' : `src/${n}.ts`],
      999,
    ],
  ])('are found at once for a thousand tasks where %s', (_name, scopeOf, edges) => {
    const tasks = planOf(Array.from({ length: 1_000 }, (_, n) => ({ id: `t${n}`, scope: scopeOf(n) })));
    const begun = process.cpuUsage();
    expect(edgesOf(withScopeEdges(tasks, nobody))).toBe(edges);
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(3_000);
  });

  it('are not made for who changes nothing', () => {
    const tasks = planOf(['a', 'b', 'c'].map((id) => ({ id, scope: ['src/**'] })));
    const given = withScopeEdges(tasks, ({ id }) => id === 'b');
    expect(given.map(({ dependencies }) => dependencies)).toEqual([[], [], ['a']]);
  });
});
