import { z } from 'zod';

const commands = z.union([z.string(), z.array(z.string()).max(20)]).transform((value) => [value].flat());

/** `.github/penstock.yml`, taken from the base SHA. Commands run through `sh -c` in the checkout. */
export const repositoryContract = z.strictObject({
  setup: commands.optional(),
  test: commands.optional(),
  lint: commands.optional(),
  build: commands.optional(),
  /** Globs that agents may change. */
  paths: z.array(z.string()).max(100).optional(),
  /** USD a run on this repository may spend; the caller's own limit wins when it is lower. */
  budgetUsd: z.number().nonnegative().max(1_000).optional(),
});
export type RepositoryContract = z.infer<typeof repositoryContract>;
