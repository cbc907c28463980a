import { propertiesSuite } from '../../support/world/properties-suite.ts';

propertiesSuite({ cases: 500, seed: 1 });
