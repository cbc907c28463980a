import { describe, expect, it } from '@jest/globals';
import { decideIntegration } from '../../../../shared/core/integration/decide-integration.ts';
import type { Run } from '../../../../shared/core/run.ts';
import type { Task, TaskAttempt } from '../../../../shared/core/task.ts';
import { POLICY } from '../../../support/engine.ts';
import { attemptOf, runOf, taskOf } from '../../../support/records.ts';

const decide = (run: Partial<Run>, tasks: Task[]) =>
  decideIntegration(runOf({ stage: 'integrating', changeOrder: ['a', 'b', 'c'], ...run }), tasks, {
    policy: POLICY,
    ci: undefined,
  });
const succeeded = (id: string, changes: Partial<Task> = {}) => taskOf({ id, state: 'succeeded', ...changes });
const broken = (id: string, exit: Partial<NonNullable<TaskAttempt['exit']>>) =>
  taskOf({
    id,
    kind: id.startsWith('fix') ? 'fix' : 'integrate',
    state: 'failed',
    attempts: [attemptOf({ exit: { outcome: 'failed', message: 'it broke', ...exit } })],
  });
const judged = (id: string, verdict: 'approve' | 'request_changes', text = 'no tests') =>
  succeeded(id, {
    kind: 'review',
    result: {
      summary: '',
      checks: [],
      filesRead: 0,
      review: { verdict, summary: `${id} ${verdict}`, remarks: [{ path: 'a.ts', text }] },
    },
  });

describe('an integration', () => {
  it('is the first step', () => {
    expect(decide({}, [succeeded('a')])).toEqual({ step: 'integrate' });
  });

  it('waits for whatever is live, and in any other stage does nothing', () => {
    const live = taskOf({ id: 'integrate-1', state: 'running' });
    expect(decide({ integrations: 1 }, [live])).toEqual({ step: 'wait', tasks: [live] });
    for (const stage of ['executing', 'cancelling', 'succeeded', 'failed'] as const) {
      expect(decide({ stage }, [])).toEqual({ step: 'wait', tasks: [] });
    }
  });

  it('that succeeded is published', () => {
    const integration = succeeded('integrate-1');
    expect(decide({ integrations: 1 }, [integration])).toEqual({ step: 'publish', integration });
  });

  it('that met a conflict has its owner make the change again in its place, on what came before', () => {
    const step = decide({ integrations: 1 }, [broken('integrate-1', { code: 'conflict', task: 'b' })]);
    expect(step).toEqual({
      step: 'fix',
      owner: 'b',
      cause: 'conflict',
      detail: 'it broke',
      inputs: ['a'],
      order: ['a', 'FIX', 'c'],
    });
  });

  it('that turned red has its owner mend it right after, with its own change in place', () => {
    const step = decide({ integrations: 1 }, [broken('integrate-1', { code: 'checks_red', task: 'b' })]);
    expect(step).toEqual({
      step: 'fix',
      owner: 'b',
      cause: 'checks_red',
      detail: 'it broke',
      inputs: ['a', 'b'],
      order: ['a', 'b', 'FIX', 'c'],
    });
  });

  it('that met a conflict with a fix has that fix made again', () => {
    const run = { integrations: 2, fixRounds: 1, changeOrder: ['a', 'fix-1', 'c'] };
    const step = decide(run, [
      succeeded('fix-1'),
      broken('integrate-2', { code: 'conflict', task: 'fix-1' }),
    ]);
    expect(step).toMatchObject({ owner: 'fix-1', inputs: ['a'], order: ['a', 'FIX', 'c'] });
  });

  it('follows every round of fixing', () => {
    for (const n of [1, 2, 3]) {
      const run = { integrations: n, fixRounds: n, changeOrder: ['a'] };
      expect(
        decide(run, [broken(`integrate-${n}`, { code: 'checks_red', task: 'a' }), succeeded(`fix-${n}`)]),
      ).toEqual({ step: 'integrate' });
    }
  });

  it('ends the run when a fix failed', () => {
    const step = decide({ integrations: 1, fixRounds: 1 }, [
      succeeded('integrate-1'),
      broken('fix-1', { code: 'turn_limit' }),
    ]);
    expect(step).toEqual({
      step: 'fail',
      reason: { code: 'turn_limit', message: 'task fix-1 failed: it broke' },
    });
  });

  it('ends the run after so many rounds of fixing', () => {
    const step = decide({ integrations: 4, fixRounds: 3 }, [
      succeeded('fix-3'),
      broken('integrate-4', { code: 'checks_red', task: 'a' }),
    ]);
    expect(step).toMatchObject({
      step: 'fail',
      reason: { code: 'not_integrated', message: expect.stringContaining('after 3 rounds') },
    });
  });

  it.each<[string, Partial<NonNullable<TaskAttempt['exit']>>]>([
    ['for a reason that is nobody’s change', { code: 'timeout' }],
    ['without saying whose change it was', { code: 'conflict' }],
    ['naming a task that has no change in it', { code: 'conflict', task: 'stranger' }],
  ])('that failed %s ends the run', (_, exit) => {
    expect(decide({ integrations: 1 }, [broken('integrate-1', exit)])).toMatchObject({
      step: 'fail',
      reason: { code: exit.code },
    });
  });
});

describe('a review', () => {
  const run = { stage: 'awaiting_review' as const, integrations: 1 };

  it('that approves finishes the run', () => {
    expect(decide(run, [judged('review', 'approve')])).toEqual({ step: 'finish' });
  });

  it('that asks for changes has them made on top of everything', () => {
    expect(decide(run, [judged('review', 'request_changes')])).toEqual({
      step: 'fix',
      owner: 'c',
      cause: 'review',
      detail: 'review request_changes\n- a.ts: no tests',
      inputs: ['a', 'b', 'c'],
      order: ['a', 'b', 'c', 'FIX'],
    });
  });

  it('of an older round does not count', () => {
    const second = { ...run, integrations: 2, fixRounds: 1 };
    expect(decide(second, [judged('review', 'request_changes'), judged('review-2', 'approve')])).toEqual({
      step: 'finish',
    });
    expect(
      decide(second, [judged('review', 'approve'), judged('review-2', 'request_changes')]),
    ).toMatchObject({ step: 'fix', cause: 'review' });
  });

  it('needs every reviewer: one who asks for changes is enough', () => {
    const reviews = ['review', 'security'].map((id) => ({
      id,
      agent: 'code_reviewer',
      instructions: 'Judge.',
    }));
    expect(
      decide({ ...run, reviews }, [judged('review', 'approve'), judged('security', 'request_changes')]),
    ).toMatchObject({ step: 'fix' });
  });

  it('that gave no verdict is no approval', () => {
    expect(decide(run, [broken('review', { code: 'model_refused' })])).toMatchObject({
      step: 'fail',
      reason: { code: 'model_refused' },
    });
    expect(
      decide(run, [succeeded('review', { result: { summary: 'fine', checks: [], filesRead: 0 } })]),
    ).toMatchObject({ step: 'fail' });
    expect(decide(run, [])).toMatchObject({ step: 'fail' });
  });

  it('that is still not content after so many rounds ends the run', () => {
    expect(
      decide({ ...run, fixRounds: 3, integrations: 4 }, [judged('review-4', 'request_changes')]),
    ).toMatchObject({ step: 'fail', reason: { code: 'review_rejected' } });
  });
});
