/** Node strips the types itself; jest only has to load the files as ES modules. */
export default {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: [
    '<rootDir>/functions/cli/demo/repository',
    '<rootDir>/.penstock',
    '<rootDir>/dist',
  ],
  // Not among the temporary files, which `npm test` removes.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  testSequencer: '<rootDir>/test/support/longest-first.js',
  // Nothing that works needs it: a machine that is busy with other things is no failure.
  testTimeout: 300_000,
  // Modules of finished files stay in a worker's memory, and every process started from a large one costs more.
  workerIdleMemoryLimit: '400MB',
};
