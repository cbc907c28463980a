import type { ErrorClass } from './task.ts';

/** More replays of one letter are refused: what fails so often wants another remedy. */
export const MAX_REPLAYS = 3;

/** What was given up, kept for a person with what it takes to try it again. */
export type DeadLetter = MessageLetter | TaskLetter;

interface Letter {
  v: 1;
  /** `replayed`: at least once; `discarded`: a person wants no more of it. */
  state: 'open' | 'replayed' | 'discarded';
  /** What went wrong, without secrets. */
  error: string;
  at: number;
  /** Oldest first; at most {@link MAX_REPLAYS}. */
  replays: Replay[];
  discarded?: { by: string; at: number };
}

/** A message that no delivery could handle. */
export interface MessageLetter extends Letter {
  kind: 'message';
  /** Empty where the platform does not say it. */
  topic: string;
  subscription: string;
  messageId: string;
  message: Record<string, unknown>;
  attributes: Record<string, string>;
  /** The run that its message names. */
  run?: string;
}

/** A task that failed for good: a replay starts a new run. */
export interface TaskLetter extends Letter {
  kind: 'task';
  run: string;
  task: string;
  /** Of its last attempt. */
  generation: number;
  /** The task of the plan to fork from. Absent for the platform's own tasks: the run is retried. */
  forkFrom?: string;
  agent: string;
  attempts: number;
  code?: string;
  class?: ErrorClass;
  signature?: string;
}

/** Recorded before it acts, so that whoever finds it not `done` does it again under the same identity. */
export interface Replay {
  /** From 1. With the letter's id, its identity. */
  n: number;
  by: string;
  at: number;
  /** SHA-256 of the `Idempotency-Key` of the request that asked for it: the same again is the same replay. */
  key?: string;
  done: boolean;
  /** The run that it started. */
  run?: string;
}
