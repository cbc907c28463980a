import { PenstockError } from '../../ports/penstock-error.ts';
import { isRetired, modelTable, type ModelEntry, type Tier } from './model-table.ts';

/** A deeper model before a lighter one: a fallback may cost more (the budget still holds), but should not do worse. */
const fallbacks: Record<Tier, readonly Tier[]> = {
  fast: ['fast', 'balanced', 'deep'],
  balanced: ['balanced', 'deep', 'fast'],
  deep: ['deep', 'balanced', 'fast'],
};

export interface ModelChoice {
  tier: Tier;
  /** Ids whose circuit is open, or that the provider no longer knows. */
  unavailable: readonly string[];
  /** ISO date: models that are retired by then are passed over. */
  today: string;
  table?: readonly ModelEntry[];
}

/** The model for a tier, or the nearest one that answers. Throws `unavailable` (later) when none does. */
export function chooseModel({ tier, unavailable, today, table = modelTable }: ModelChoice): ModelEntry {
  const usable = table.filter((model) => !unavailable.includes(model.id) && !isRetired(model, today));
  for (const candidate of fallbacks[tier]) {
    const model = usable.find((entry) => entry.tier === candidate);
    if (model !== undefined) return model;
  }
  const tried = table.map((model) => model.id).join(', ');
  throw new PenstockError(
    'unavailable',
    `No model answers for tier ${tier}; all are down or retired: ${tried}.`,
    {
      retry: 'later',
    },
  );
}
