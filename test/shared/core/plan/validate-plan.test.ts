import { describe, expect, it } from '@jest/globals';
import { levelsOf } from '../../../../shared/core/plan/levels.ts';
import { validatePlan, type PlanVerdict } from '../../../../shared/core/plan/validate-plan.ts';
import { planProposal } from '../../../../shared/messages/plan.ts';
import { POLICY, shippedAgents } from '../../../support/engine.ts';

const agents = await shippedAgents();
type Given = { id: string; agent?: string; dependencies?: string[]; scope?: string[] };
const task = ({ agent = 'backend_developer', ...rest }: Given) => ({
  agent,
  instructions: 'Do it.',
  ...rest,
});
const judge = (tasks: Given[], limits = POLICY): PlanVerdict =>
  validatePlan(planProposal.parse({ tasks: tasks.map(task) }), agents, limits);
const reasonsOf = (verdict: PlanVerdict): string[] => (verdict.ok ? [] : verdict.reasons);
const edgesOf = (verdict: PlanVerdict): string[] =>
  verdict.ok
    ? verdict.tasks.flatMap(({ id, dependencies }) => dependencies.map((on) => `${id} after ${on}`))
    : reasonsOf(verdict);
const chain = (length: number): Given[] =>
  Array.from({ length }, (_, n) => ({ id: `t${n}`, dependencies: n === 0 ? [] : [`t${n - 1}`] }));

describe('a plan', () => {
  it('may ask for a capability: the first agent that has it stands for the task', () => {
    const tasks = [{ id: 'a', capability: 'Documentation', instructions: 'Do it.' }];
    const verdict = validatePlan(planProposal.parse({ tasks }), agents, POLICY);
    expect(verdict).toMatchObject({
      ok: true,
      tasks: [{ agent: 'technical_writer', capability: 'Documentation' }],
    });
    const unknown = [{ ...tasks[0], capability: 'integration' }];
    expect(reasonsOf(validatePlan(planProposal.parse({ tasks: unknown }), agents, POLICY))).toEqual([
      expect.stringMatching(
        /^task a asks for integration, which no agent can; known are .*documentation.*user interfaces/,
      ),
    ]);
  });

  it('is refused with all its reasons at once', () => {
    const verdict = judge([
      { id: 'a', dependencies: ['a', 'ghost'] },
      { id: 'b', agent: 'nobody' },
      { id: 'b' },
      { id: 'plan' },
      { id: 'integrate-1' },
      { id: 'c', dependencies: ['b', 'b'] },
      { id: 'd', agent: 'integrator' },
    ]);
    expect(reasonsOf(verdict)).toEqual([
      expect.stringContaining('task b names the unknown agent nobody; known are'),
      'task b stands twice; every id must be unique',
      'task id plan is kept for the platform; choose another',
      'task id integrate-1 is kept for the platform; choose another',
      expect.stringContaining('task d names the unknown agent integrator'),
      'task a depends on itself',
      'task a depends on ghost, which is not in the plan',
      'task c names a dependency twice',
    ]);
  });

  it('is refused for a cycle, naming those in it and behind it', () => {
    const verdict = judge([
      { id: 'ok' },
      { id: 'a', dependencies: ['c'] },
      { id: 'b', dependencies: ['a'] },
      { id: 'c', dependencies: ['b'] },
    ]);
    expect(reasonsOf(verdict)).toEqual(['these tasks wait for each other in a cycle: a, b, c']);
  });

  it('is refused beyond its size and depth, and not before', () => {
    expect(judge(chain(20)).ok).toBe(true);
    expect(reasonsOf(judge(chain(21)))).toEqual(['the longest chain has 21 tasks; 20 are allowed']);
    const wide = Array.from({ length: 10_000 }, (_, n) => ({ id: `t${n}` }));
    expect(judge(wide.slice(0, 200)).ok).toBe(true);
    expect(reasonsOf(judge(wide))).toEqual(['the plan has 10000 tasks; 200 are allowed']);
  });

  it('is refused where work waits for the assessment of the finished pull request', () => {
    const verdict = judge([
      { id: 'review', agent: 'code_reviewer' },
      { id: 'docs', dependencies: ['review'] },
    ]);
    expect(reasonsOf(verdict)).toEqual([
      'task docs depends on the assessment review, which judges the finished pull request',
    ]);
  });

  it('is refused where a task has the name that a later round of an assessment will need', () => {
    const verdict = judge([{ id: 'judge', agent: 'code_reviewer' }, { id: 'judge-2' }, { id: 'api-2' }]);
    expect(reasonsOf(verdict)).toEqual([
      'task id judge-2 is kept for a later round of judge; choose another',
    ]);
  });

  it('gets an edge between parallel tasks that may change the same file, the later waiting for the earlier', () => {
    expect(
      edgesOf(
        judge([
          { id: 'a', scope: ['src/**'] },
          { id: 'b', scope: ['src/api.ts'] },
          { id: 'c', scope: ['docs/**'] },
        ]),
      ),
    ).toEqual(['b after a']);
    expect(
      edgesOf(
        judge([
          { id: 'a', scope: ['src/api.ts'] },
          { id: 'b', scope: ['new:src/api.ts'] },
        ]),
      ),
    ).toEqual(['b after a']);
    expect(
      edgesOf(
        judge([
          { id: 'a', scope: ['src/'] },
          { id: 'b', scope: ['./src/api.ts'] },
        ]),
      ),
    ).toEqual(['b after a']);
    expect(
      edgesOf(
        judge([
          { id: 'a', scope: ['src/api.ts'] },
          { id: 'b', scope: ['src/api.tsx', 'srcs'] },
        ]),
      ),
    ).toEqual([]);
  });

  it('gets no second edge where they wait for each other anyway, and never a cycle', () => {
    const tasks = [
      { id: 'last', dependencies: ['middle'], scope: ['src/**'] },
      { id: 'first', scope: ['src/**'] },
      { id: 'middle', dependencies: ['first'], scope: ['src/**'] },
    ];
    expect(edgesOf(judge(tasks))).toEqual(['last after middle', 'middle after first']);
  });

  it('gets no edge from an assessment, which changes nothing and is not among the tasks that run', () => {
    const tasks = [
      { id: 'review', agent: 'code_reviewer', scope: ['src/**'] },
      { id: 'api', scope: ['src/api.ts'] },
    ];
    expect(edgesOf(judge(tasks))).toEqual([]);
  });

  it('has for each task the length of the longest chain before it', () => {
    const levels = levelsOf([
      { id: 'd', dependencies: ['a', 'c'] },
      { id: 'a', dependencies: [] },
      { id: 'b', dependencies: ['a'] },
      { id: 'c', dependencies: ['b'] },
    ]);
    expect(Object.fromEntries(levels)).toEqual({ a: 0, b: 1, c: 2, d: 3 });
  });

  it('is refused where a task takes more bytes than its record has room for, however few characters', () => {
    const large = { id: 'a', agent: 'backend_developer', instructions: '漢'.repeat(20_000) };
    const wide = (id: string, words: number) => ({
      ...large,
      id,
      acceptance: Array.from({ length: words }, () => '漢'.repeat(1_000)),
    });
    const verdict = (tasks: object[]) => validatePlan(planProposal.parse({ tasks }), agents, POLICY);
    expect(reasonsOf(verdict([wide('a', 0)]))).toEqual([]);
    expect(reasonsOf(verdict([wide('a', 1), wide('b', 0), wide('c', 20)]))).toEqual([
      expect.stringMatching(/^task a takes 63\d{3} bytes and 61440 are allowed; shorten its instructions/),
      expect.stringMatching(/^task c takes 12\d{4} bytes and 61440 are allowed/),
    ]);
  });

  it('is refused where the edges of a task take its record’s room', () => {
    const many = Array.from({ length: 199 }, (_, n) => ({
      id: `t${n}-${'x'.repeat(50)}`,
      dependencies: ['first'],
    }));
    const plan = (instructions: string) => {
      const tasks = [{ id: 'first' }, ...many].map((each) => ({ ...task(each), instructions }));
      return reasonsOf(validatePlan(planProposal.parse({ tasks }), agents, POLICY));
    };
    expect(plan('Do it.')).toEqual([]);
    expect(plan('漢'.repeat(10_000))).toEqual([expect.stringMatching(/^task first takes \d+ bytes/)]);
  });
});
