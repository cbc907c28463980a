/** What the service allows in one source (https://cloud.google.com/workflows/quotas). */
export const SOURCE_LIMITS = {
  bytes: 128 * 1024,
  assignments: 50,
  conditions: 50,
  branches: 10,
  fewestBranches: 2,
  parameters: 10,
  steps: 100_000,
  /** Of mappings and lists within each other; the service's own is not known, and no workflow comes near this one. */
  depth: 100,
} as const;
