import { describe, expect, it } from '@jest/globals';
import { advanceRun, canAdvance } from '../../../shared/core/advance-run.ts';
import { foldHistory } from '../../../shared/core/history.ts';
import { isTerminal } from '../../../shared/core/run.ts';
import { stages } from '../../../shared/messages/stages.ts';
import { runOf } from '../../support/records.ts';

describe('the stage machine', () => {
  it('has no way out of an ended run', () => {
    for (const from of stages.filter(isTerminal))
      expect(stages.filter((to) => canAdvance(from, to))).toEqual([]);
  });

  it('lets every live run but one that is being cancelled be cancelled and fail', () => {
    for (const from of stages.filter((stage) => !isTerminal(stage) && stage !== 'cancelling')) {
      expect([canAdvance(from, 'cancelling'), canAdvance(from, 'failed')]).toEqual([true, true]);
    }
    expect(stages.filter((to) => canAdvance('cancelling', to))).toEqual(['cancelled']);
  });

  it('comes to success by planning, execution and review only', () => {
    expect(stages.filter((from) => canAdvance(from, 'succeeded'))).toEqual([
      'planning',
      'executing',
      'awaiting_review',
    ]);
  });

  it('tells in the history what it did, why, and ends once', () => {
    const reason = { code: 'budget', message: 'no money left' };
    const ended = advanceRun(runOf(), 'failed', { at: 7, by: 'engine', reason, tasksRoot: 'root' });
    expect(ended).toMatchObject({ stage: 'failed', endedAt: 7, updatedAt: 7, reason, tasksRoot: 'root' });
    expect(ended.history.at(-1)).toMatchObject({ state: 'failed', by: 'engine', note: 'no money left' });
    expect(foldHistory(ended.history)).toBe('failed');
    expect(() => advanceRun(ended, 'succeeded', { at: 8, by: 'engine' })).toThrow(
      'run run1 is failed and cannot become succeeded',
    );
  });

  it('keeps the reason for which the run was being cancelled', () => {
    const reason = { code: 'cancelled', message: 'cancelled by dana' };
    const cancelling = advanceRun(runOf(), 'cancelling', { at: 1, by: 'cancel', reason });
    expect(cancelling.endedAt).toBeUndefined();
    expect(advanceRun(cancelling, 'cancelled', { at: 2, by: 'engine' }).reason).toEqual(reason);
  });
});
