import type { Model, ModelAnswer, ModelRequest, Usage } from '../ports/model.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { watchCall } from './circuits/watch-call.ts';
import type { Fence } from './fence.ts';
import { nameModel, reserve, settle } from './meter.ts';
import { modelById } from './models/model-table.ts';
import { priceOf, reservationFor } from './models/price.ts';
import { onFailure } from './on-failure.ts';
import type { Ports } from './ports.ts';

const NOTHING: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

type MeterPorts = Pick<Ports, 'store' | 'clock' | 'model' | 'circuits'>;

/** A model whose calls are paid from one attempt's allotment: reserved and persisted before, settled after. */
export function meteredModel(ports: MeterPorts, fence: Fence): Model {
  const { model } = ports;
  return {
    provider: model.provider,
    countTokens: (request) => model.countTokens(request),
    answer: (request) => answerMetered(ports, fence, request),
  };
}

async function answerMetered(ports: MeterPorts, fence: Fence, request: ModelRequest): Promise<ModelAnswer> {
  const entry = modelById(request.model);
  const watch = watchCall(ports, request.model);
  const count = () => watch.during(() => ports.model.countTokens(request), request.signal);
  const tokens = await onFailure(count, () => nameModel(ports, fence, request.model));
  const microUsd = reservationFor(tokens, request.maxOutputTokens, entry);
  await reserve(ports, fence, { microUsd, model: request.model });
  const settleWith = (spentMicroUsd: number, usage: Usage, answered: boolean) =>
    settle(ports, fence, { reservedMicroUsd: microUsd, spentMicroUsd, usage, answered });
  const call = () => watch.during(() => ports.model.answer(request), request.signal);
  // A call that was refused gives its reservation back; one that broke off is charged all of it, as it may have been answered.
  const answer = await onFailure(call, async (error) => {
    const isRefusal = error instanceof PenstockError && !error.mayHaveCounted;
    await settleWith(isRefusal ? 0 : microUsd, NOTHING, !isRefusal);
  });
  await settleWith(priceOf(answer.usage, entry), answer.usage, true);
  await watch.answered();
  return answer;
}
