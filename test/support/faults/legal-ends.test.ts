import { describe, expect, it } from '@jest/globals';
import { attemptOf, runOf, taskOf } from '../records.ts';
import type { Fault } from './fault.ts';
import { judgeEnd, mayFail } from './legal-ends.ts';

const kill: Fault = { kind: 'kill', when: 'before', process: 'host', call: 'store.get', nth: 1 };
const drop: Fault = { kind: 'message', how: 'drop', process: 'host', call: 'queue.publish', nth: 1 };
const refused = (times: number): Fault => ({ kind: 'model', how: 'overloaded', nth: 1, times });
const nonsense: Fault = { kind: 'model', how: 'nonsense', nth: 1, times: 1 };

const failed = runOf({ stage: 'failed', reason: { code: 'lost', message: 'task api failed' } });
const worn = taskOf({ state: 'failed', attempts: [1, 2, 3].map((generation) => attemptOf({ generation })) });
const fresh = taskOf({ state: 'failed', attempts: [attemptOf()] });

describe('which ends are legal', () => {
  it.each([
    [false, 'two kills', [kill, kill]],
    [true, 'three kills, which may take all attempts of a task', [kill, kill, kill]],
    [false, 'any messages', [drop, drop, drop, drop, drop]],
    [false, 'as many refusals as the client of the model outlasts', [refused(2), refused(2), refused(2)]],
    [true, 'kills together with a call of the model that is given up', [kill, kill, refused(3)]],
    [true, 'the same bad work twice', [nonsense, nonsense]],
  ] as [boolean, string, Fault[]][])('a run may fail: %s after %s', (may, _, faults) => {
    expect(mayFail(faults)).toBe(may);
  });

  it('are success always, and a failure where it is one of those and a task has used up its attempts', () => {
    expect(judgeEnd(runOf({ stage: 'succeeded' }), [], [])).toEqual([]);
    expect(judgeEnd(failed, [worn], [kill, kill, kill])).toEqual([]);
  });

  it.each([
    ['a failure after too few faults', failed, [worn], [kill, kill]],
    ['a failure of a task that had attempts left', failed, [fresh], [kill, kill, kill]],
    ['a run that was cancelled', runOf({ stage: 'cancelled' }), [worn], [kill, kill, kill]],
    ['a run that goes on', runOf({ stage: 'executing' }), [], []],
  ] as const)('are not %s', (_, run, tasks, faults) => {
    expect(judgeEnd(run, tasks, faults)).toEqual([expect.stringContaining(`the run is ${run.stage}`)]);
  });
});
