/** What the service allows one execution (https://cloud.google.com/workflows/quotas). */
export const RUN_LIMITS = {
  steps: 100_000,
  callDepth: 20,
  concurrentBranches: 20,
  parallelDepth: 2,
  memoryBytes: 512 * 1024,
  responseBytes: 2 * 1024 * 1024,
  argumentBytes: 32 * 1024,
  sleepSeconds: 31_536_000,
  httpSeconds: 1_800,
} as const;
