import type { BenchedStore } from './read-options.ts';

/** Milliseconds per task of a shape. */
export interface Reference {
  goalMs: number;
  /** Somebody else's, measured on a machine like this. */
  peer?: { name: string; ms: number };
}

/**
 * By what the platform stands on and the first word of a shape's name. Of one machine the fastest durable peers, each surviving a crash
 * of the process, not loss of power; on the emulators a skeleton that dispatches through them and does nothing else.
 */
const references: Record<BenchedStore, Record<string, Reference>> = {
  sqlite: {
    chain: { peer: { name: 'BullMQ on Redis, everysec', ms: 0.51 }, goalMs: 0.25 },
    fan: { peer: { name: 'BullMQ on Redis, everysec', ms: 0.18 }, goalMs: 0.09 },
    layered: { peer: { name: 'Restate', ms: 0.14 }, goalMs: 0.07 },
    many: { peer: { name: 'Mastra', ms: 0.16 }, goalMs: 0.08 },
  },
  firestore: {
    chain: { goalMs: 25 },
    fan: { peer: { name: 'a bare skeleton', ms: 4.7 }, goalMs: 6.6 },
    layered: { peer: { name: 'a bare skeleton', ms: 5.9 }, goalMs: 6.6 },
  },
};

export function referenceOf(shape: string, store: BenchedStore): Reference | undefined {
  return references[store][shape.split('-')[0] ?? ''];
}
