import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { createRecentReads } from '../recent-reads.ts';
import { refs } from '../refs.ts';
import type { Circuit, CircuitName } from './circuit.ts';

/** The records of circuits as one process knows them. */
export interface KnownCircuits {
  /** At most five seconds old; `undefined`: there is no record, so it is closed. */
  read(name: CircuitName): Promise<Circuit | undefined>;
  /** Compare-and-set on the record as it is now; `decide` answering `undefined` leaves it. Answers how it stands afterwards. */
  change(
    name: CircuitName,
    decide: (circuit: Circuit | undefined) => Circuit | undefined,
  ): Promise<Circuit | undefined>;
}

/** Circuits are read again when they are older than this. */
const MAX_AGE_MS = 5_000;
/** Circuits that one process remembers. */
export const MAX_KNOWN = 2_000;

export function createKnownCircuits({
  store,
  clock,
  log,
}: Pick<Ports, 'store' | 'clock' | 'log'>): KnownCircuits {
  const recent = createRecentReads<Circuit | undefined>(clock, {
    maxAgeMs: MAX_AGE_MS,
    maxEntries: MAX_KNOWN,
  });
  const load = async (name: CircuitName): Promise<Circuit | undefined> =>
    (await store.get(refs.circuit(name)))?.data;
  const keep = (name: CircuitName, circuit: Circuit | undefined): Circuit | undefined =>
    recent.keep(pathOf(name), circuit);
  /** The first record of a circuit; after a race for it, there is one. */
  const begin = async (name: CircuitName, first: Circuit): Promise<boolean> => {
    if ((await store.create(refs.circuit(name), first)) === 'exists') return false;
    tell(log, name, first);
    keep(name, first);
    return true;
  };
  return {
    read: (name) => recent.read(pathOf(name), () => load(name)),
    async change(name, decide) {
      if ((await load(name)) === undefined) {
        const first = decide(undefined);
        if (first === undefined || (await begin(name, first))) return first;
      }
      const result = await change(store, refs.circuit(name), (circuit) => {
        const data = decide(circuit);
        return data === undefined ? undefined : { data };
      });
      if (result.changed) tell(log, name, result.data);
      return keep(name, result.data);
    },
  };
}

/** Told in the log of whoever did it: a record that is rewritten for as long as the platform lives keeps no history. */
function tell(log: Ports['log'], { key, tenant }: CircuitName, { state, reason }: Circuit): void {
  const fields = tenant === undefined ? {} : { tenant };
  if (state === 'open') log.warn(`circuit ${key} is open: ${reason}`, fields);
  else log.info(`circuit ${key} is ${state === 'closed' ? 'closed' : 'half open'}`, fields);
}

/** Names a circuit among all of one process. */
export function pathOf(name: CircuitName): string {
  const { collection, id } = refs.circuit(name);
  return `${collection}/${id}`;
}
