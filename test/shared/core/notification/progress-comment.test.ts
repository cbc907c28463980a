import { describe, expect, it } from '@jest/globals';
import { progressComment } from '../../../../shared/core/notification/progress-comment.ts';
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
