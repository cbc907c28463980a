import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { modelCircuit } from '../../../../shared/core/circuits/circuit.ts';
import { modelFor } from '../../../../shared/core/models/model-for.ts';
import { modelTable } from '../../../../shared/core/models/model-table.ts';
import type { Remedy } from '../../../../shared/core/task.ts';
import { type Engine, startEngine } from '../../../support/engine.ts';
import { attemptOf, taskOf } from '../../../support/records.ts';

const agent = { tier: 'balanced' } as const;
const ofTier = (tier: string) => modelTable.find((model) => model.tier === tier)?.id ?? '';

describe('the model of an attempt', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());
  const after = (ended: [model: string, remedy: Remedy][]) =>
    taskOf({
      attempts: ended.map(([model, remedy], index) =>
        attemptOf({ generation: index + 1, model, exit: { outcome: 'failed', remedy } }),
      ),
    });
  const gone = (model: string) =>
    engine.ports.circuits.failed(modelCircuit(model), {
      reason: 'not_found',
      since: engine.clock.now(),
      isCertain: true,
    });
  const chosen = async (task: ReturnType<typeof after>) => (await modelFor(engine.ports, task, agent)).id;

  it('is of the tier of its agent, or of the next where that was the remedy', async () => {
    expect(await chosen(after([]))).toBe(ofTier('balanced'));
    expect(await chosen(after([[ofTier('balanced'), 'larger_model']]))).toBe(ofTier('deep'));
  });

  it('is another one after one that did not answer, until all have been asked', async () => {
    const [first, second, third] = [ofTier('balanced'), ofTier('deep'), ofTier('fast')];
    expect(await chosen(after([[first, 'fallback_model']]))).toBe(second);
    const two: [string, Remedy][] = [
      [first, 'fallback_model'],
      [second, 'fallback_model'],
    ];
    expect(await chosen(after(two))).toBe(third);
    expect(await chosen(after([...two, [third, 'fallback_model']]))).toBe(first);
  });

  it('is none whose circuit is open, and is not to be had when all are', async () => {
    await gone(ofTier('balanced'));
    expect(await chosen(after([]))).toBe(ofTier('deep'));
    for (const { id } of modelTable) await gone(id);
    await expect(chosen(after([]))).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  });
});
