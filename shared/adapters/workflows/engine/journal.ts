import type { Encoded } from './value-codec.ts';

/** What an execution began with; with the answers of its calls it makes all else again. */
export interface StartedEntry {
  readonly type: 'started';
  readonly atMs: number;
  readonly workflow: string;
  /** The whole workflow, as it was then: an execution goes on with what it began with. */
  readonly source: string;
  readonly argument: Encoded;
  readonly seed?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A call whose repetition would do harm, or whose end is a matter of time, is about to be made. */
export interface BeganEntry {
  readonly type: 'began';
  readonly key: string;
  readonly name: string;
  readonly dueMs?: number;
}

/** A call ended with a value. */
export interface DoneEntry {
  readonly type: 'done';
  readonly key: string;
  readonly name: string;
  readonly value: Encoded;
  /** The callback endpoint it made. */
  readonly endpoint?: Endpoint;
  /** The callback request it took from the inbox. */
  readonly took?: string;
}

/** A call ended with an error. */
export interface RaisedEntry {
  readonly type: 'raised';
  readonly key: string;
  readonly name: string;
  readonly value: Encoded;
  readonly isFatal: boolean;
}

/** A request to a callback endpoint came in. */
export interface CallbackEntry {
  readonly type: 'callback';
  readonly request: string;
  readonly endpoint: string;
  readonly value: Encoded;
}

export interface EndedEntry {
  readonly type: 'ended';
  readonly atMs: number;
  readonly outcome: Outcome;
  readonly steps: readonly StepEntry[];
}

export interface Endpoint {
  readonly id: string;
  readonly method: string;
  readonly url: string;
}

export type Outcome =
  | { readonly state: 'succeeded'; readonly result: Encoded }
  | { readonly state: 'failed'; readonly error: ExecutionError }
  | { readonly state: 'cancelled' };

export interface ExecutionError {
  /** The message, and where it was raised. */
  readonly context: string;
  /** What was raised, as JSON. */
  readonly payload: string;
  readonly stack: readonly StackElement[];
}

/** Innermost first. */
export interface StackElement {
  readonly routine: string;
  readonly step: string;
  readonly line: number;
  readonly column: number;
}

/** One step that was begun. */
export interface StepEntry {
  readonly id: number;
  readonly routine: string;
  readonly step: string;
  readonly kind: string;
  readonly line: number;
  readonly startedMs: number;
  endedMs?: number;
  state: 'running' | 'succeeded' | 'failed';
}

export type JournalEntry = StartedEntry | BeganEntry | DoneEntry | RaisedEntry | CallbackEntry | EndedEntry;

/** How an execution began and, when it has, ended. */
export interface JournalSummary {
  readonly id: string;
  readonly started: StartedEntry;
  readonly ended?: EndedEntry;
}

/**
 * Where executions are written down. What `append` was given is there after a crash as soon as it returns. Between start and
 * end of an execution that has ended nothing needs to be kept.
 */
export interface Journal {
  append(execution: string, entry: JournalEntry): void;
  /** In the order in which they were appended. */
  read(execution: string): JournalEntry[];
  find(execution: string): JournalSummary | undefined;
  /** Those of a workflow, newest first. */
  list(workflow: string, page: { limit: number; after?: string }): JournalSummary[];
  /** Ids of those that have not ended, oldest first. */
  active(): string[];
  /** Forgets those that ended before then. */
  prune(beforeMs: number): void;
  close(): void;
}
