import type { Clock } from '../../ports/clock.ts';
import { isTransient, PenstockError } from '../../ports/penstock-error.ts';

/** Before each look: what was made may take a while to appear. A minute in all. */
const WAITS_MS = [0, 1_000, 4_000, 15_000, 40_000];

export interface OnceCall<T> {
  clock: Clock;
  /** Makes something whose id Google chooses, so that a blind repeat would make a second one. */
  make: () => Promise<T>;
  /** What `make` may have made. */
  find: () => Promise<T | undefined>;
  /** It is made again: nothing has appeared. */
  onRepeat: () => void;
}

/**
 * What was made, by one call if Google lets it: after a lost answer it is looked for, and made once more only when a minute
 * has shown nothing. Throws when nobody can tell, and when the second answer is lost too.
 */
export async function makeOnce<T>({ clock, make, find, onRepeat }: OnceCall<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!isAnswerLost(error)) throw error;
  }
  const found = await lookFor(clock, find);
  if (found !== undefined) return found;
  onRepeat();
  return make();
}

/** Google may have done what it was asked. */
export function isAnswerLost(error: unknown): boolean {
  return error instanceof PenstockError && (error.code === 'unavailable' || error.code === 'timeout');
}

/** Only a last look that worked can say that there is nothing. */
async function lookFor<T>(clock: Clock, find: () => Promise<T | undefined>): Promise<T | undefined> {
  let failure: unknown;
  for (const waitMs of WAITS_MS) {
    await clock.sleep(waitMs);
    try {
      const found = await find();
      if (found !== undefined) return found;
      failure = undefined;
    } catch (error) {
      if (!isTransient(error)) throw error;
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}
