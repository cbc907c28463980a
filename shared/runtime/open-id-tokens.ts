import type { Clock } from '../ports/clock.ts';
import type { JobConfig } from './job-config.ts';

/** What proves to a private `attempts` service who runs the job; `undefined` where it asks for nothing but the ticket. */
export async function openIdTokens(
  { audience }: Pick<JobConfig, 'audience'>,
  clock: Pick<Clock, 'now'>,
): Promise<((refused?: string) => Promise<string>) | undefined> {
  if (audience === undefined) return undefined;
  const { createIdTokens } = await import('../adapters/google/id-tokens.ts');
  return createIdTokens({ audience, clock });
}
