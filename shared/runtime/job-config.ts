import { resolve } from 'node:path';
import { z } from 'zod';
import { PenstockError } from '../ports/penstock-error.ts';

const flag = z
  .enum(['', '0', '1', 'false', 'true'])
  .default('')
  .transform((value) => value === '1' || value === 'true');

const jobEnvironment = z.object({
  PENSTOCK_ATTEMPTS_URL: z.url({ protocol: /^https?$/ }),
  PENSTOCK_TICKET: z.string().min(20).max(200),
  /** `{run}/{task}/{generation}`, for people and for finding the execution again. */
  PENSTOCK_ATTEMPT: z.string().min(1).max(200),
  PENSTOCK_DATA: z.string().min(1).default('/workspace'),
  PENSTOCK_SANDBOX: z.enum(['auto', 'bubblewrap', 'none']).default('auto'),
  PENSTOCK_UNSAFE_NO_SANDBOX: flag,
});

export interface JobConfig {
  attemptsUrl: string;
  ticket: string;
  attempt: string;
  /** Absolute. */
  dataFolder: string;
  sandbox: 'auto' | 'bubblewrap' | 'none';
  isUnsafeAllowed: boolean;
}

/** The job's settings. Throws `config` naming every variable that is wrong; never shows the ticket. */
export function readJobConfig(environment: Record<string, string | undefined> = process.env): JobConfig {
  const parsed = jobEnvironment.safeParse(environment);
  if (!parsed.success) {
    const reasons = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new PenstockError(
      'config',
      `The job cannot start: ${reasons.join('; ')}. Correct these environment variables.`,
      { reasons },
    );
  }
  const { data } = parsed;
  return {
    attemptsUrl: data.PENSTOCK_ATTEMPTS_URL,
    ticket: data.PENSTOCK_TICKET,
    attempt: data.PENSTOCK_ATTEMPT,
    dataFolder: resolve(data.PENSTOCK_DATA),
    sandbox: data.PENSTOCK_SANDBOX,
    isUnsafeAllowed: data.PENSTOCK_UNSAFE_NO_SANDBOX,
  };
}
