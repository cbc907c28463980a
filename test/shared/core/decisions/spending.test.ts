import { afterEach, describe, expect, it } from '@jest/globals';
import { decide } from '../../../../shared/core/decisions/decide.ts';
import type { OpenAttempt } from '../../../../shared/core/ports.ts';
import { spentMicroUsd } from '../../../../shared/core/task.ts';
import type { AttemptResultInput } from '../../../../shared/messages/attempt-api.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { createSpendingModel } from '../../../support/spending-model.ts';

const START = 60_000;

describe('a run whose budget is raised', () => {
  let engine: Engine;
  afterEach(() => engine.close());

  /** Calls the model until nothing is left to pay it with, as an agent would that never comes to an end. */
  async function spendAll({ attempt }: OpenAttempt): Promise<AttemptResultInput> {
    const { id: model } = attempt.brief.model;
    const request = { model, system: '', turns: [], tools: [], maxOutputTokens: 1_000, timeoutMs: 1_000 };
    try {
      for (;;) await attempt.model.answer(request);
    } catch (error) {
      if (!(error instanceof PenstockError) || error.code !== 'budget') throw error;
      return { outcome: 'failed', failure: { code: 'budget', message: error.message } };
    }
  }

  it('spends what was added and never more, attempt after attempt', async () => {
    engine = await startEngine({
      model: createSpendingModel(),
      work: async (open) => spendAll(await open()),
    });
    const plan = [{ id: 'api', agent: 'technical_writer', instructions: 'Write.' }];
    const { id } = await engine.submit({ plan, budgetMicroUsd: START });
    let limit = START;
    let spent = 0;
    for (const total of [150_000, 400_000, 1_000_000]) {
      await engine.drain();
      const task = await engine.task(id, 'api');
      expect(spentMicroUsd(task)).toBeGreaterThan(spent);
      expect(spentMicroUsd(task)).toBeLessThanOrEqual(task.allotmentMicroUsd);
      expect(task.allotmentMicroUsd).toBeLessThanOrEqual(limit);
      spent = spentMicroUsd(task);
      expect(task.state).toBe('blocked');
      const answer = { option: 'raise', budgetMicroUsd: total };
      await decide(engine.ports, { tenant: TENANT, id: task.decision ?? '' }, answer, 'dana');
      limit = total;
    }
    expect(await engine.run(id)).toMatchObject({ budget: { limitMicroUsd: 1_000_000 } });
    expect((await engine.task(id, 'api')).attempts).toHaveLength(3);
  });
});
