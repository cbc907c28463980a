import { z } from 'zod';

export const runId = z.string().regex(/^[a-z0-9]{4,32}$/, 'a run id is 4 to 32 characters of a-z and 0-9');
/** Also the last segment of keys and paths, hence the narrow alphabet. */
export const taskId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'a task id is 1 to 63 characters of a-z, 0-9 and -, not starting with -',
  );
export const tenantId = z.string().regex(/^[a-z][a-z0-9-]{0,38}$/);
export const agentName = z.string().regex(/^[a-z][a-z0-9_]{1,48}$/);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const commitSha = z.string().regex(/^[0-9a-f]{40}$/);
/** 1 millionth of a US dollar: sums stay exact. */
export const microUsd = z.int().nonnegative();
export const generation = z.int().positive();
