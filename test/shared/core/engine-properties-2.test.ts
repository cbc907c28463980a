import { propertiesSuite } from '../../support/world/properties-suite.ts';

// In a file of its own, so that the two halves have a core each.
propertiesSuite({ cases: 500, seed: 2 });
