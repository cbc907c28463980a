import type { Value } from '../values.ts';
import type { ExecutionError, JournalSummary, StepEntry } from './journal.ts';
import { decodeValue } from './value-codec.ts';

/** What can be said of an execution. */
export interface ExecutionView {
  readonly id: string;
  readonly workflow: string;
  readonly state: 'active' | 'succeeded' | 'failed' | 'cancelled';
  readonly argument: Value;
  readonly labels: Readonly<Record<string, string>>;
  readonly startedMs: number;
  readonly endedMs?: number;
  /** Of one that succeeded. */
  readonly result?: Value;
  /** Of one that failed. */
  readonly error?: ExecutionError;
  /** Where it stands, outermost first. */
  readonly current: readonly Pick<StepEntry, 'routine' | 'step'>[];
}

export function viewOf({ id, started, ended }: JournalSummary, current: readonly StepEntry[]): ExecutionView {
  const { workflow, atMs, argument, labels = {} } = started;
  const outcome = ended?.outcome;
  return {
    id,
    workflow,
    state: outcome?.state ?? 'active',
    argument: decodeValue(argument),
    labels,
    startedMs: atMs,
    ...(ended === undefined ? {} : { endedMs: ended.atMs }),
    ...(outcome?.state === 'succeeded' ? { result: decodeValue(outcome.result) } : {}),
    ...(outcome?.state === 'failed' ? { error: outcome.error } : {}),
    current: current.map(({ routine, step }) => ({ routine, step })),
  };
}
