import { describe, expect, it } from '@jest/globals';
import { isToSplit, modelsPassedOver, modelTierOf, remedyFor, tierOf } from '../../../shared/core/remedy.ts';
import type { Remedy, Task } from '../../../shared/core/task.ts';
import { type FailureCode, failureCodes } from '../../../shared/messages/attempt-api.ts';
import { attemptOf, taskOf } from '../../support/records.ts';

type Skills = NonNullable<Parameters<typeof remedyFor>[2]>;
const agent: Skills = {
  tier: 'balanced',
  resources: { tier: 'standard' },
  tools: ['shell', 'delegate_subtask'],
};
const deep: Skills = { ...agent, tier: 'deep' };

/** A task whose newest attempt is just failing, after others with these remedies. */
function after(remedies: Remedy[], changes: Partial<Task> = {}): Task {
  const ended = remedies.map((remedy, index) =>
    attemptOf({ generation: index + 1, model: `m${index + 1}`, exit: { outcome: 'failed', remedy } }),
  );
  const newest = attemptOf({ generation: ended.length + 1, model: 'm' });
  return taskOf({ attempts: [...ended, newest], ...changes });
}

describe('the remedy of a failure', () => {
  it.each<[FailureCode, Remedy[], Skills, Remedy | undefined]>([
    ['model_unavailable', [], agent, 'fallback_model'],
    ['model_unavailable', ['fallback_model', 'fallback_model'], agent, 'fallback_model'],
    ['model_refused', [], agent, 'fallback_model'],
    ['model_refused', ['fallback_model'], agent, undefined],
    ['out_of_memory', [], agent, 'larger_machine'],
    ['out_of_memory', ['larger_machine'], agent, undefined],
    ['out_of_memory', [], { ...agent, resources: { tier: 'high' } }, undefined],
    ['model_garbage', [], agent, 'larger_model'],
    ['model_garbage', ['larger_model'], agent, undefined],
    ['model_garbage', [], deep, undefined],
    ['turn_limit', [], agent, 'larger_model'],
    ['turn_limit', ['larger_model'], agent, 'split'],
    ['turn_limit', [], deep, 'split'],
    ['turn_limit', ['larger_model', 'split'], agent, undefined],
    ['turn_limit', ['larger_model'], { ...agent, tools: ['shell'] }, undefined],
  ])('%s after %j', (code, remedies, skills, expected) => {
    expect(remedyFor(after(remedies), { code, message: 'it broke' }, skills)).toBe(expected);
  });

  it('is none where nothing is known to help', () => {
    const helped = ['model_unavailable', 'model_refused', 'out_of_memory', 'model_garbage', 'turn_limit'];
    for (const code of failureCodes.filter((each) => !helped.includes(each)))
      expect(remedyFor(after([]), { code, message: '' }, agent)).toBeUndefined();
  });

  it('is no other model where none was asked, and no split of a task of the platform', () => {
    const unasked = taskOf({ attempts: [attemptOf()] });
    expect(remedyFor(unasked, { code: 'model_unavailable', message: '' }, agent)).toBeUndefined();
    const plan = after([], { kind: 'plan' });
    expect(remedyFor(plan, { code: 'turn_limit', message: '' }, deep)).toBeUndefined();
  });
});

describe('the attempts after it', () => {
  it('have the larger machine, the larger model and the split, and nothing of it before', () => {
    const plain = after(['fallback_model']);
    expect([tierOf(plain, agent), modelTierOf(plain, agent), isToSplit(plain)]).toEqual([
      'standard',
      'balanced',
      false,
    ]);
    const helped = after(['larger_machine', 'larger_model', 'split', 'fallback_model']);
    expect([tierOf(helped, agent), modelTierOf(helped, agent), isToSplit(helped)]).toEqual([
      'high',
      'deep',
      true,
    ]);
  });

  it('pass over the models that were not there or refused, and no others', () => {
    expect(modelsPassedOver(after(['fallback_model', 'larger_model', 'fallback_model']))).toEqual([
      'm1',
      'm3',
    ]);
  });
});
