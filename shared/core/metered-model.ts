import type { Model, ModelAnswer, ModelRequest, Usage } from '../ports/model.ts';
import type { Fence } from './fence.ts';
import { reserve, settle } from './meter.ts';
import { modelById } from './models/model-table.ts';
import { priceOf, reservationFor } from './models/price.ts';
import type { Ports } from './ports.ts';

const NOTHING: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

/** A model whose calls are paid from one attempt's allotment: reserved and persisted before, settled after. */
export function meteredModel(ports: Pick<Ports, 'store' | 'clock' | 'model'>, fence: Fence): Model {
  const { model } = ports;
  return {
    provider: model.provider,
    countTokens: (request) => model.countTokens(request),
    answer: (request) => answerMetered(ports, fence, request),
  };
}

async function answerMetered(
  ports: Pick<Ports, 'store' | 'clock' | 'model'>,
  fence: Fence,
  request: ModelRequest,
): Promise<ModelAnswer> {
  const entry = modelById(request.model);
  const microUsd = reservationFor(await ports.model.countTokens(request), request.maxOutputTokens, entry);
  await reserve(ports, fence, { microUsd, model: request.model });
  const answer = await answerOrRelease(ports, request, () =>
    settle(ports, fence, { reservedMicroUsd: microUsd, spentMicroUsd: 0, usage: NOTHING, answered: false }),
  );
  const spentMicroUsd = priceOf(answer.usage, entry);
  await settle(ports, fence, { reservedMicroUsd: microUsd, spentMicroUsd, usage: answer.usage, answered: true });
  return answer;
}

/** Only a call without an answer gives its reservation back: one whose settling fails was made, and stays reserved. */
async function answerOrRelease(
  { model }: Pick<Ports, 'model'>,
  request: ModelRequest,
  release: () => Promise<void>,
): Promise<ModelAnswer> {
  try {
    return await model.answer(request);
  } catch (error) {
    await release();
    throw error;
  }
}
