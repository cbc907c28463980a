import { z } from 'zod';
import { commitSha, sha256 } from './identifiers.ts';

export const MAX_CHANGED_FILES = 300;
export const MAX_CHANGED_FILE_BYTES = 1024 * 1024;

const fileMode = z.enum(['100644', '100755']);

export const checkResult = z.strictObject({
  command: z.string().max(1_000),
  /** `null`: it was ended by a limit or a signal. */
  exitCode: z.int().nullable(),
  passed: z.boolean(),
  /** Such as `12 passed, 1 failed`; empty where the output is not recognised. */
  summary: z.string().max(300),
  outputTail: z.string().max(8_000),
  durationMs: z.number().nonnegative(),
});
export type CheckResult = z.infer<typeof checkResult>;

/** One path before and after, contents by SHA-256. `mode` and `blob` null: deleted. `before` null: new. */
export const changeEntry = z.strictObject({
  path: z.string().min(1).max(1_000),
  mode: fileMode.nullable(),
  blob: sha256.nullable(),
  bytes: z.int().nonnegative().max(MAX_CHANGED_FILE_BYTES),
  before: z.strictObject({ mode: fileMode, blob: sha256 }).nullable(),
});
export type ChangeEntry = z.infer<typeof changeEntry>;

/** A proposed commit. `before` is relative to the base with the inputs of the task applied, not always to `baseSha` itself. */
export const changeSet = z.strictObject({
  v: z.literal(1),
  baseSha: commitSha,
  entries: z.array(changeEntry).max(MAX_CHANGED_FILES),
  added: z.int().nonnegative(),
  deleted: z.int().nonnegative(),
  checks: z.array(checkResult).max(20),
});
export type ChangeSet = z.infer<typeof changeSet>;
