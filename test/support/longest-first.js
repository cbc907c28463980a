import { statSync } from 'node:fs';

/** Files that take longest, so that none of them is begun last and waited for alone. */
const LONGEST = [
  'test/cluster/separate-processes.test.ts',
  'test/faults/schedules.test.ts',
  'test/build/deployables.test.ts',
  'test/end-to-end/issue-to-pull-request.test.ts',
  // Where the first cluster has gone: two at once are two dozen functions and four emulators.
  'test/faults/cluster-schedules.test.ts',
  'test/end-to-end/demo-negative-controls.test.ts',
  'test/end-to-end/integration-rounds.test.ts',
  'test/functions/agent-job/agent-job.test.ts',
  'test/functions/cli/demo-script.test.ts',
  'test/end-to-end/npm-start.test.ts',
];

/** The order in which jest runs test files: the longest, then all others by size. A fresh clone has no times of an earlier run. */
// jest takes the default export.
// oxlint-disable-next-line import/no-default-export
export default class LongestFirst {
  sort(tests) {
    const rank = ({ path }) => {
      const at = LONGEST.findIndex((file) => path.endsWith(file));
      return at === -1 ? LONGEST.length : at;
    };
    const size = ({ path }) => statSync(path).size;
    return tests.toSorted((a, b) => rank(a) - rank(b) || size(b) - size(a));
  }

  shard(tests) {
    return tests;
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}
