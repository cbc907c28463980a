import { z } from 'zod';
import { type ModelCall, modelCall, refusedField } from '../messages/model-call.ts';
import type { GatewayAnswer, MessagesGateway } from '../ports/messages-gateway.ts';
import type { Usage } from '../ports/model.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { watchCall } from './circuits/watch-call.ts';
import type { Fence } from './fence.ts';
import { nameModel, reserve, settle } from './meter.ts';
import { type ModelEntry, modelById } from './models/model-table.ts';
import { priceOf, reservationFor } from './models/price.ts';
import { onFailure } from './on-failure.ts';
import type { Ports } from './ports.ts';

/** Of one call through the gateway, streaming included. */
const CALL_TIMEOUT_MS = 10 * 60_000;

const usageShape = z.looseObject({
  input_tokens: z.int().nullish(),
  output_tokens: z.int().nullish(),
  cache_read_input_tokens: z.int().nullish(),
  cache_creation_input_tokens: z.int().nullish(),
});
type WireUsage = z.infer<typeof usageShape>;

type PassPorts = Pick<Ports, 'store' | 'clock' | 'model' | 'circuits'>;

/**
 * One model call of a job: reserved from its attempt's allotment before, settled by what the provider says it used.
 * An answer that broke off is charged its whole reservation. What the meter cannot price, or what leaves the attempt, is refused.
 * @throws PenstockError `budget`, `stale`, `invalid`, `config` (a model without a price).
 */
export async function passThrough(
  ports: PassPorts,
  gateway: MessagesGateway,
  fence: Fence,
  request: { body: unknown; headers: Headers },
): Promise<GatewayAnswer> {
  const body = callOf(fence, request.body);
  const model = pricedModel(body.model);
  const watch = watchCall(ports, model.id);
  const count = () => watch.during(() => gateway.countTokens(body));
  const tokens = await onFailure(count, () => nameModel(ports, fence, model.id));
  const microUsd = reservationFor(tokens, body.max_tokens, model);
  await reserve(ports, fence, { microUsd, model: model.id });
  const settleWith = (usage: Usage | undefined, answered: boolean) =>
    settle(ports, fence, {
      reservedMicroUsd: microUsd,
      spentMicroUsd: usage === undefined ? (answered ? microUsd : 0) : priceOf(usage, model),
      usage: usage ?? NOTHING,
      answered,
    });
  const send = () =>
    watch.during(() => gateway.send(body, request.headers, AbortSignal.timeout(CALL_TIMEOUT_MS)));
  // A call that did not reach the provider is free; one that it may have answered is charged.
  const answer = await onFailure(send, (error) =>
    settleWith(undefined, error instanceof PenstockError && error.mayHaveCounted),
  );
  if (answer.fault !== undefined) {
    await settleWith(undefined, false);
    await watch.failed(answer.fault.code, `HTTP ${answer.status}`, answer.fault.retryAfterMs);
    return answer;
  }
  const reader = body.stream === true ? readStream() : readWhole();
  const done = async (usage: Usage | undefined, end: AnswerEnd) => {
    await settleWith(usage, true);
    if (usage !== undefined) await watch.answered();
    else if (end === 'provider') await watch.failed('unavailable', 'its answer broke off');
  };
  return { ...answer, body: metered(answer.body, reader, done) };
}

function callOf({ task }: Fence, body: unknown): ModelCall {
  const { data, error } = modelCall.safeParse(body);
  if (data !== undefined) return data;
  const message = `the model call of task ${task} was not sent: ${refusedField(error)}`;
  throw new PenstockError('invalid', message, { cause: error });
}

/** A model that has no price cannot be paid from an allotment; asking for it is the job's mistake. */
function pricedModel(id: string): ModelEntry {
  try {
    return modelById(id);
  } catch (cause) {
    throw new PenstockError('invalid', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const NOTHING: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

/** Collects what the answer says of its usage while its bytes pass by. */
interface UsageReader {
  take(text: string): void;
  usage(): Usage | undefined;
}

/** Who ended an answer: the provider, at its end or in the middle, or the job that hung up on it. */
type AnswerEnd = 'provider' | 'job';

function metered(
  body: ReadableStream<Uint8Array>,
  reader: UsageReader,
  done: (usage: Usage | undefined, end: AnswerEnd) => Promise<void>,
): ReadableStream<Uint8Array> {
  const decoder = new TextDecoder();
  let settled = false;
  const settleOnce = async (usage: Usage | undefined, end: AnswerEnd) => {
    if (settled) return;
    settled = true;
    await done(usage, end);
  };
  const source = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: ended, value } = await source.read();
        if (!ended) {
          reader.take(decoder.decode(value, { stream: true }));
          return controller.enqueue(value);
        }
        await settleOnce(reader.usage(), 'provider');
        controller.close();
      } catch (error) {
        await settleOnce(undefined, 'provider').catch(() => undefined);
        controller.error(error);
      }
    },
    async cancel(reason) {
      await source.cancel(reason);
      await settleOnce(undefined, 'job');
    },
  });
}

function readWhole(): UsageReader {
  let text = '';
  return {
    take: (part) => {
      text += part;
    },
    usage: () => {
      const parsed = z.looseObject({ usage: usageShape }).safeParse(parseJson(text));
      return parsed.success ? toUsage(parsed.data.usage) : undefined;
    },
  };
}

const startEvent = z.looseObject({
  type: z.literal('message_start'),
  message: z.looseObject({ usage: usageShape }),
});
const deltaEvent = z.looseObject({ type: z.literal('message_delta'), usage: usageShape });

/** Counts stand in `message_start` and, final, in `message_delta`; without the latter the answer is not whole. */
function readStream(): UsageReader {
  let rest = '';
  let seen: WireUsage = {};
  let whole = false;
  const line = (text: string) => {
    if (!text.startsWith('data:')) return;
    const event = parseJson(text.slice('data:'.length));
    const start = startEvent.safeParse(event);
    if (start.success) seen = { ...seen, ...start.data.message.usage };
    const delta = deltaEvent.safeParse(event);
    if (!delta.success) return;
    whole = true;
    seen = {
      ...seen,
      ...Object.fromEntries(Object.entries(delta.data.usage).filter(([, value]) => value !== null)),
    };
  };
  return {
    take: (part) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(line);
    },
    usage: () => (whole ? toUsage(seen) : undefined),
  };
}

function toUsage(usage: WireUsage): Usage {
  return {
    input: usage.input_tokens ?? 0,
    output: usage.output_tokens ?? 0,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    cacheWrite: usage.cache_creation_input_tokens ?? 0,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
