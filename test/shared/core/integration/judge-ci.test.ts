import { describe, expect, it } from '@jest/globals';
import { decideIntegration } from '../../../../shared/core/integration/decide-integration.ts';
import type { CiReading } from '../../../../shared/core/integration/read-ci.ts';
import type { Run } from '../../../../shared/core/run.ts';
import type { CiEvidence } from '../../../../shared/ports/code-host.ts';
import { POLICY } from '../../../support/engine.ts';
import { runOf, taskOf } from '../../../support/records.ts';

const HEAD = 'abcdef0123'.repeat(4);
const SINCE = 1_000_000;
const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

const saying = (
  evidence: Partial<CiEvidence>,
  { after = 0, ...more }: Partial<CiReading> & { after?: number } = {},
): CiReading => ({
  evidence: { state: 'none', failures: [], pending: [], ...evidence },
  since: SINCE,
  now: SINCE + after,
  isExpected: false,
  ...more,
});
const failing = (summary: string): Partial<CiEvidence> => ({
  state: 'red',
  failures: [{ name: 'test', summary, url: 'https://ci.example/7' }],
});
const reviewed = (verdict: 'approve' | 'request_changes') =>
  taskOf({
    id: 'review',
    kind: 'review',
    state: 'succeeded',
    result: { summary: '', checks: [], filesRead: 0, review: { verdict, summary: 'so', remarks: [] } },
  });
const decide = (
  ci: CiReading | undefined,
  verdict: 'approve' | 'request_changes' = 'approve',
  changes: Partial<Run> = {},
) => {
  const run = runOf({
    stage: 'awaiting_review',
    integrations: 1,
    changeOrder: ['a', 'b'],
    heads: [HEAD],
    ...changes,
  });
  return decideIntegration(run, [reviewed(verdict)], { policy: POLICY, ci });
};

describe('the CI of a head whose reviews approve', () => {
  it.each<[string, CiReading | undefined]>([
    ['was not asked for', undefined],
    ['is green', saying({ state: 'green' })],
    ['says nothing and is not known', saying({})],
  ])('lets the run finish where it %s', (_, ci) => {
    expect(decide(ci)).toEqual({ step: 'finish' });
  });

  it('is waited for while it is under way, however its reviews were', () => {
    const ci = saying({ state: 'pending', pending: ['test'] }, { after: POLICY.ciDeadlineMs - 1 });
    expect(decide(ci)).toEqual({ step: 'await_ci' });
    expect(decide(ci, 'request_changes')).toEqual({ step: 'await_ci' });
  });

  it('is looked at again after its grace where it is expected and has not begun', () => {
    expect(decide(saying({}, { isExpected: true, after: 5 }))).toEqual({
      step: 'await_ci',
      until: SINCE + POLICY.ciGraceMs,
    });
  });

  it('ends the run at its deadline, which names what is not over', () => {
    const ci = saying({ state: 'pending', pending: ['test', 'lint'] }, { after: POLICY.ciDeadlineMs });
    expect(decide(ci)).toEqual({
      step: 'fail',
      reason: {
        code: 'ci_timeout',
        message:
          'CI of commit abcdef0 is not over after 120 minutes: test, lint; see to it and retry the run',
      },
    });
  });

  it('has what failed mended on top of everything', () => {
    expect(decide(saying(failing('2 of 40 tests failed')))).toEqual({
      step: 'fix',
      owner: 'b',
      cause: 'checks_red',
      detail: 'CI is red on commit abcdef0:\n- test (https://ci.example/7): 2 of 40 tests failed',
      inputs: ['a', 'b'],
      order: ['a', 'b', 'FIX'],
    });
  });

  it('goes before the deadline: what is red late is mended all the same', () => {
    const late = saying(failing('no'), { after: POLICY.ciDeadlineMs * 2 });
    expect(decide(late)).toMatchObject({ step: 'fix', cause: 'checks_red' });
  });

  it('is mended together with what the reviews remark', () => {
    const step = decide(saying(failing('no')), 'request_changes');
    expect(step).toMatchObject({ cause: 'checks_red', detail: expect.stringMatching(/: no\n\nso$/) });
  });

  it('passes on no secret, and no more than a fix can be told', () => {
    const said = `${TOKEN} ${'x'.repeat(3_000)}`;
    const step = decide(saying(failing(said)));
    const detail = step.step === 'fix' ? step.detail : '';
    expect(detail).toMatch(/\[redacted: GitHub token\] xxx/);
    expect(detail).not.toContain(TOKEN);
    expect(detail.length).toBeLessThan(1_200);
  });

  it('ends the run with what is red after so many rounds of fixing', () => {
    const step = decide(saying(failing('2 of 40 tests failed')), 'approve', {
      fixRounds: POLICY.maxFixRounds,
    });
    expect(step).toMatchObject({
      step: 'fail',
      reason: { code: 'checks_red', message: expect.stringMatching(/after 3 rounds[\s\S]*test.*2 of 40/) },
    });
  });

  it('does not save a run whose review is gone', () => {
    const run = runOf({ stage: 'awaiting_review', integrations: 1, heads: [HEAD] });
    const ci = saying({ state: 'green' });
    expect(decideIntegration(run, [], { policy: POLICY, ci })).toMatchObject({ step: 'fail' });
  });
});
