import type { Model, ModelAnswer, ModelRequest, Usage } from '../ports/model.ts';
import { PenstockError } from '../ports/penstock-error.ts';
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
  const settleWith = (spentMicroUsd: number, usage: Usage, answered: boolean) =>
    settle(ports, fence, { reservedMicroUsd: microUsd, spentMicroUsd, usage, answered });
  const answer = await answerOr(ports, request, async (error) => {
    const isRefusal = error instanceof PenstockError && !error.mayHaveCounted;
    await settleWith(isRefusal ? 0 : microUsd, NOTHING, !isRefusal);
  });
  await settleWith(priceOf(answer.usage, entry), answer.usage, true);
  return answer;
}

/** A call that was refused gives its reservation back; one that broke off is charged all of it, as it may have been answered. */
async function answerOr(
  { model }: Pick<Ports, 'model'>,
  request: ModelRequest,
  onFailure: (error: unknown) => Promise<void>,
): Promise<ModelAnswer> {
  try {
    return await model.answer(request);
  } catch (error) {
    await onFailure(error);
    throw error;
  }
}
