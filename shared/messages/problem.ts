import { z } from 'zod';

/** RFC 9457 body of every error answer, served as `application/problem+json`. */
export const problem = z.object({
  type: z.string(),
  /** Our own error code, for programs. */
  code: z.string().optional(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problem>;
