/** Milliseconds per task of a shape elsewhere. */
export interface Reference {
  /** The fastest of its kind with the same durability, and what it was measured at on a machine like this. */
  peer: string;
  peerMs: number;
  goalMs: number;
}

/** By the first word of a shape's name. Durable peers, each surviving a crash of the process, not loss of power. */
const references: Record<string, Reference> = {
  chain: { peer: 'BullMQ on Redis, everysec', peerMs: 0.51, goalMs: 0.25 },
  fan: { peer: 'BullMQ on Redis, everysec', peerMs: 0.18, goalMs: 0.09 },
  layered: { peer: 'Restate', peerMs: 0.14, goalMs: 0.07 },
  many: { peer: 'Mastra', peerMs: 0.16, goalMs: 0.08 },
};

export function referenceOf(shape: string): Reference | undefined {
  return references[shape.split('-')[0] ?? ''];
}
