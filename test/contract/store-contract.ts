import { describe } from '@jest/globals';
import { describeAggregates } from './store/aggregates.ts';
import { describeCommits } from './store/commits.ts';
import { describeContent } from './store/content.ts';
import { describeDocuments } from './store/documents.ts';
import { describeFilters } from './store/filters.ts';
import { describeLostAnswers } from './store/lost-answers.ts';
import { describePages } from './store/pages.ts';
import { openStoreCases, type StoreUnderTest } from './store/store-cases.ts';
import { describeWatch } from './store/watch.ts';

/**
 * What every store does, whatever it is made of. Each case has collections of its own. `hasWire`: the store talks to a
 * server, so that answers can get lost.
 */
export function storeContract(
  name: string,
  make: () => Promise<StoreUnderTest>,
  { hasWire }: { hasWire: boolean },
): void {
  describe(`${name} as a store`, () => {
    const cases = openStoreCases(make);
    describeDocuments(cases);
    describeContent(cases);
    describeCommits(cases);
    describeFilters(cases);
    describePages(cases);
    describeAggregates(cases);
    describeWatch(cases);
    if (hasWire) describeLostAnswers(cases);
  });
}
