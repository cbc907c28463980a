import type { Run } from '../run.ts';

/** What is cleaned up, in this order, before the record of a TaskRun goes (002-18). Each is removed when its work is done. */
export const FINALIZERS = ['penstock/attempts', 'penstock/files', 'penstock/records'] as const;

export type Finalizer = (typeof FINALIZERS)[number];

/** What is still to be cleaned up. A run has all of them from its acceptance on; they are stored once its deletion begins. */
export function finalizersOf(run: Run): readonly string[] {
  return run.finalizers ?? FINALIZERS;
}
