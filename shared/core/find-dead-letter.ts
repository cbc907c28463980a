import { PenstockError } from '../ports/penstock-error.ts';
import type { Store } from '../ports/store.ts';
import type { DeadLetter } from './dead-letter.ts';
import { refs } from './refs.ts';

/** As they are made: of a message a hash, of a task `{run}-{task}-{generation}`. */
const LETTER_ID = /^[a-z0-9-]{1,120}$/;

/** Throws `not_found` for what is no letter of this tenant. */
export async function findDeadLetter(store: Store, tenant: string, id: string): Promise<DeadLetter> {
  const found = LETTER_ID.test(id) ? await store.get(refs.deadLetter(tenant, id)) : undefined;
  if (found !== undefined) return found.data;
  const shown = JSON.stringify(id.slice(0, 120));
  throw new PenstockError('not_found', `there is no dead letter ${shown}; GET /api/dead-letters lists them`);
}
