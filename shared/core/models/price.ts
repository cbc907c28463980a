import type { Usage } from '../../ports/model.ts';
import type { ModelEntry, Prices } from './model-table.ts';

const TOKENS_PER_PRICE = 1_000_000;
const MICRO_USD_PER_USD = 1_000_000;

/** What a call cost, in micro-USD, rounded up: a sum of calls is never less than what the provider bills. */
export function priceOf(usage: Usage, model: ModelEntry): number {
  const prices = pricesFor(usage.input + usage.cacheRead + usage.cacheWrite, model);
  return toMicroUsd(
    usage.input * microUsd(prices.input) +
      usage.output * microUsd(prices.output) +
      usage.cacheRead * microUsd(prices.cacheRead) +
      usage.cacheWrite * microUsd(prices.cacheWrite),
  );
}

/**
 * The most that a call can cost, in micro-USD: what is set aside before it is made.
 * Input counts at the price of writing it to the cache, which is above the plain one.
 */
export function reservationFor(inputTokens: number, maxOutputTokens: number, model: ModelEntry): number {
  const prices = pricesFor(inputTokens, model);
  const dearestInput = Math.max(microUsd(prices.input), microUsd(prices.cacheWrite));
  return toMicroUsd(inputTokens * dearestInput + maxOutputTokens * microUsd(prices.output));
}

function pricesFor(promptTokens: number, model: ModelEntry): Prices {
  const { longPrompt } = model;
  return longPrompt !== undefined && promptTokens > longPrompt.overTokens ? longPrompt.prices : model.prices;
}

/** Prices have up to 3 decimals; as whole micro-USD per million tokens, sums are exact below 2^53. */
function microUsd(usd: number): number {
  return Math.round(usd * MICRO_USD_PER_USD);
}

function toMicroUsd(microUsdTimesTokens: number): number {
  return Math.ceil(microUsdTimesTokens / TOKENS_PER_PRICE);
}
