import { describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import type { Decision } from '../../../shared/core/decisions/decision.ts';
import { appendHistory } from '../../../shared/core/history.ts';
import type { Effect } from '../../../shared/core/refs.ts';
import { attemptOf, runOf, taskOf } from '../records.ts';
import { judgeRecords, type Records } from './judge-records.ts';

const effect = (id: string, changes: Partial<Effect>) => ({
  id,
  effect: { v: 1, state: 'done', claimId: 'c', claimUntil: 0, attempts: 1, ...changes } satisfies Effect,
});
const exit = { outcome: 'succeeded' } as const;
const run = runOf({ stage: 'succeeded' });
const task = taskOf({ state: 'succeeded', attempts: [attemptOf({ exit })] });
const clean: Records = {
  runs: [run],
  tasks: [task],
  effects: [effect('comment', {}), effect('notify', { state: 'intended' })],
  letters: [],
  decisions: [],
};

const judged = (changes: Partial<Records>) =>
  judgeRecords({ ...clean, ...changes }, [], { calls: [], counts: [] }).join('\n');
const meter = { ...attemptOf().meter, reservedMicroUsd: 5 };
const twice = appendHistory(run.history, { at: 1, state: 'succeeded', by: 'test' });
const other = appendHistory([], { at: 1, state: 'failed', by: 'test' });
const letter = (changes: object) => ({ error: 'gone', ...changes }) as DeadLetter;

describe('the judge of what a run left in the records', () => {
  it('finds nothing in those of a run that went well', () => {
    expect(judged({})).toBe('');
  });

  it.each([
    ['two runs', { runs: [run, run] }, '2 runs are recorded'],
    ['no run', { runs: [] }, '0 runs are recorded'],
    ['a run that has not ended', { runs: [runOf()] }, 'the run has 0 terminal entries'],
    ['two terminal entries', { runs: [{ ...run, history: twice }] }, 'the run has 2 terminal entries'],
    [
      'a run that its history does not tell',
      { runs: [{ ...run, history: other }] },
      'its history tells failed',
    ],
    ['a comment that may be old', { runs: [{ ...run, unsettledOutside: true }] }, 'not settled outside'],
    ['a live task', { tasks: [taskOf({ state: 'running' })] }, 'task api is still running'],
    [
      'a task that its history does not tell',
      { tasks: [{ ...task, history: other }] },
      'its history tells failed',
    ],
    [
      'an attempt without an end',
      { tasks: [{ ...task, attempts: [attemptOf()] }] },
      'attempt api/1 has no end',
    ],
    [
      'an open reservation',
      { tasks: [{ ...task, attempts: [attemptOf({ exit, meter })] }] },
      'open reservation',
    ],
    [
      'an effect that was not done',
      { effects: [effect('comment', { state: 'intended' })] },
      'intended and not done',
    ],
    [
      'a claim that nobody gave back',
      { effects: [effect('notify', { state: 'intended', claimUntil: 9 })] },
      'claimed',
    ],
    [
      'a message that was given up',
      { letters: [letter({ kind: 'message', subscription: 'sweep' })] },
      'dead letter of sweep',
    ],
    [
      'a task that was given up in a run that succeeded',
      { letters: [letter({ kind: 'task', task: 'api' })] },
      'dead letter of task api',
    ],
    [
      'a question that nobody waits for',
      { decisions: [{ id: 'd1', state: 'open' } as Decision] },
      'decision d1 is still open',
    ],
    [
      'a charge that nothing explains',
      {
        tasks: [
          {
            ...task,
            attempts: [attemptOf({ exit, meter: { ...meter, reservedMicroUsd: 0, spentMicroUsd: 7 } })],
          },
        ],
      },
      '7 micro-USD are recorded',
    ],
  ] as [string, Partial<Records>, string][])('sees %s', (_, changes, problem) => {
    expect(judged(changes)).toContain(problem);
  });
});
