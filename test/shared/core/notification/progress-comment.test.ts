import { describe, expect, it } from '@jest/globals';
import { progressComment } from '../../../../shared/core/notification/progress-comment.ts';
import type { Run } from '../../../../shared/core/run.ts';
import { runOf, taskOf } from '../../../support/records.ts';

const check = {
  command: 'npm test',
  exitCode: 0,
  passed: true,
  summary: '12 passed',
  outputTail: '',
  durationMs: 1,
};
const integration = taskOf({
  id: 'integrate-1',
  kind: 'integrate',
  state: 'succeeded',
  result: { summary: '', checks: [check], filesRead: 0 },
});
const api = taskOf({ state: 'succeeded' });
const NOTHING_ELSE = { publicUrl: '', decisions: [] };

describe('the one comment of a run', () => {
  it('says where the run stands, with the state of every task', () => {
    const comment = progressComment(runOf(), [taskOf({ id: 'plan', kind: 'plan' }), api], {
      publicUrl: 'https://p.example',
      decisions: [],
    });
    expect(comment).toContain('### executing:');
    expect(comment).toContain('| api | backend_developer | succeeded |');
    expect(comment).not.toContain('| plan |');
    expect(comment).toContain('[run run1](https://p.example/runs/run1)');
    expect(comment.endsWith('<!-- penstock:run:run1 -->')).toBe(true);
  });

  it('says that it waits for CI, on which commit and since when, or what was red', () => {
    const head = 'abcdef0123'.repeat(4);
    const headAt = Date.parse('2026-11-20T10:03:00Z');
    const waiting = runOf({ stage: 'awaiting_review', heads: [head], headAt });
    const said = (changes: Partial<Run>) => progressComment({ ...waiting, ...changes }, [api], NOTHING_ELSE);
    const pending = { head, state: 'pending' as const, checks: ['test', 'lint'] };
    expect(said({ ci: pending })).toContain(
      'Waits for CI on commit abcdef0 since 2026-11-20 10:03 UTC: test, lint.',
    );
    expect(said({ ci: { head, state: 'expected', checks: [] } })).toContain(
      'Waits for CI to begin on commit abcdef0 since 2026-11-20 10:03 UTC.',
    );
    const red = { head, state: 'red' as const, checks: ['test'] };
    expect(said({ stage: 'integrating', ci: red })).toContain('CI was red on commit abcdef0: test.');
    // The next commit is there: what was waited for on the one before is of no interest.
    expect(said({ heads: [head, 'b'.repeat(40)], ci: pending })).not.toContain('CI');
  });

  it('says how it ended, and of a failure why', () => {
    const ready = runOf({
      stage: 'succeeded',
      pullRequest: { number: 4, url: 'u', ready: true },
      integrations: 1,
    });
    expect(progressComment(ready, [api, integration], NOTHING_ELSE)).toContain(
      '### Done. Pull request #4 is ready for your review.',
    );
    expect(progressComment(ready, [api, integration], NOTHING_ELSE)).toContain('`npm test` passed');
    expect(progressComment(runOf({ stage: 'succeeded' }), [], NOTHING_ELSE)).toContain(
      'nothing had to be changed',
    );
    const failed = runOf({
      stage: 'failed',
      reason: { code: 'not_integrated', message: 'it is still red' },
      pullRequest: { number: 4, url: 'u', ready: false },
    });
    expect(progressComment(failed, [], NOTHING_ELSE)).toMatch(
      /### Failed: not integrated\. Pull request #4 stays a draft\.\n\nit is still red/,
    );
    expect(progressComment(runOf({ stage: 'cancelled' }), [], NOTHING_ELSE)).toContain('### Cancelled.');
  });
});
