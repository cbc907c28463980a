import { PenstockError } from '../ports/penstock-error.ts';
import { change } from './change.ts';
import type { DeadLetter } from './dead-letter.ts';
import { findDeadLetter } from './find-dead-letter.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';

/** Nobody wants more of a letter; it stays readable. Repeating it is fine. Throws `conflict` for one that was replayed. */
export async function discardDeadLetter(
  ports: Pick<Ports, 'store' | 'clock'>,
  { tenant, id, by }: { tenant: string; id: string; by: string },
): Promise<DeadLetter> {
  await findDeadLetter(ports.store, tenant, id);
  const { data } = await change(ports.store, refs.deadLetter(tenant, id), (letter) => {
    if (letter.state === 'discarded') return undefined;
    const last = letter.replays.at(-1);
    if (last !== undefined) {
      const how = last.done ? `was replayed` : `is being replayed; replay it again to finish that`;
      throw new PenstockError('conflict', `dead letter ${id} ${how}; there is nothing to discard`);
    }
    return { data: { ...letter, state: 'discarded' as const, discarded: { by, at: ports.clock.now() } } };
  });
  return data;
}
