import type { ModelProvider } from '../../ports/model.ts';
import { PenstockError } from '../../ports/penstock-error.ts';

export type Tier = 'fast' | 'balanced' | 'deep';

/** USD per million tokens. `cacheWrite` is the price of the five-minute cache. */
export interface Prices {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export interface ModelEntry {
  id: string;
  provider: ModelProvider;
  tier: Tier;
  contextTokens: number;
  maxOutputTokens: number;
  prices: Prices;
  /** What every token of a call costs whose prompt (cached tokens included) is longer than `overTokens`. */
  longPrompt?: { overTokens: number; prices: Prices };
  /** ISO date on which the prices were last compared with the provider's page. */
  pricesAsOf: string;
  /** ISO date from which the provider no longer answers. */
  retiresOn?: string;
}

/**
 * The models that agents may run on, cheapest tier first.
 *
 * Source: https://platform.claude.com/docs/en/about-claude/pricing and the overview page of each model
 * (`/docs/en/models/haiku-5-5/overview` …), in copies of October 2026. The price of a cache read of
 * `claude-sonnet-5-5` is the one since 2026-10-07 (before: $0.20), taken from third parties that track the page.
 * No retirement date was published. Check the page before you rely on a sum, and move `pricesAsOf`.
 */
export const modelTable: readonly ModelEntry[] = [
  {
    id: 'claude-haiku-5-5',
    provider: 'anthropic',
    tier: 'fast',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    prices: { input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite: 0.125 },
    longPrompt: {
      overTokens: 100_000,
      prices: { input: 0.5, output: 2.5, cacheRead: 0.05, cacheWrite: 0.625 },
    },
    pricesAsOf: '2026-10-24',
  },
  {
    id: 'claude-sonnet-5-5',
    provider: 'anthropic',
    tier: 'balanced',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    prices: { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 },
    pricesAsOf: '2026-10-24',
  },
  {
    id: 'claude-opus-5-5',
    provider: 'anthropic',
    tier: 'deep',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    prices: { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 },
    pricesAsOf: '2026-10-24',
  },
];

/** The entry of a model id. Throws `config`: a model without a price cannot be budgeted. */
export function modelById(id: string, table: readonly ModelEntry[] = modelTable): ModelEntry {
  const entry = table.find((model) => model.id === id);
  if (entry !== undefined) return entry;
  const known = table.map((model) => model.id).join(', ');
  throw new PenstockError('config', `No price is known for model ${id}. Use one of: ${known}.`);
}

/** Whether the provider has stopped answering for it; `today` is an ISO date. */
export function isRetired(model: ModelEntry, today: string): boolean {
  return model.retiresOn !== undefined && model.retiresOn <= today;
}
