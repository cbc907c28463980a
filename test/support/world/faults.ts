import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Write } from '../../../shared/ports/store.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** In a calm world a fault is that of one in so many messages. */
const CALM_MESSAGES = 12;

export interface Faults {
  /** Calls, writes and messages among them, of all processes so far. */
  calls: number;
  writes: number;
  messages: number;
}

/** The nth write goes as the scenario says; in a calm world only the sending of messages fails. */
export async function faulty<T>(
  world: World,
  faults: Faults,
  write: () => Promise<T>,
  what: Write[] | 'message' | 'other',
): Promise<T> {
  faults.writes += 1;
  if (what === 'message') faults.messages += 1;
  const kind = world.isSettling ? undefined : faultOf(world.given, faults, what === 'message');
  if (kind === undefined) return write();
  const nth = faults.writes;
  world.trace.push(`write ${nth} is ${kind}`);
  const lost = new PenstockError('unavailable', `no answer to write ${nth}`, { retry: 'later' });
  if (kind === 'unapplied') throw lost;
  if (kind === 'raced' && typeof what !== 'string') await race(world, what);
  const result = await write();
  if (kind === 'applied') throw lost;
  return result;
}

function faultOf(
  { isCalm, writeFaults }: Scenario,
  { writes, messages }: Faults,
  isMessage: boolean,
): Scenario['writeFaults'][number]['kind'] | undefined {
  const found = writeFaults.find(({ nth }) => nth === writes)?.kind;
  if (!isCalm) return found;
  const failed = writeFaults.find(({ nth }) => isMessage && nth % CALM_MESSAGES === messages % CALM_MESSAGES);
  return failed === undefined && found !== 'raced' ? undefined : (failed?.kind ?? found);
}

/** Somebody else writes the same record first, with nothing changed but its version. */
async function race({ store, witness }: World, writes: Write[]): Promise<void> {
  const swap = writes.find((write) => write.op === 'set' && write.ifVersion !== undefined);
  const known = swap && witness.record(`${swap.ref.collection}/${swap.ref.id}`);
  if (known === undefined) return;
  await store.commit([{ op: 'set', ref: known.ref, data: known.data, ifVersion: known.version }]);
}
