import type { Step } from '../syntax/ast.ts';
import type { Value } from '../values.ts';
import type { Fiber } from './fiber.ts';
import type { StepEntry } from './journal.ts';

/** A step that began or ended, for whoever looks on. */
export interface StepEvent {
  readonly execution: string;
  readonly routine: string;
  readonly step: string;
  /** `assign`, `call`, … */
  readonly kind: string;
  readonly line: number;
  readonly state: StepEntry['state'];
  /** What it wrote, when it has ended; empty for steps that only hold others. */
  readonly changed: ReadonlyMap<string, Value>;
}

/** The newest steps of one execution. */
export interface StepLog {
  begin(fiber: Fiber, step: Step): StepEntry;
  end(fiber: Fiber, entry: StepEntry, state: 'succeeded' | 'failed'): void;
  entries: () => readonly StepEntry[];
  /** Steps that have begun and not ended, innermost last. */
  current: () => readonly StepEntry[];
}

/** As many as are kept of one execution. */
const MAX_ENTRIES = 500;

export function createStepLog(now: () => number, onStep?: (event: StepEvent) => void): StepLog {
  const entries: StepEntry[] = [];
  let first = 0;
  let count = 0;

  function tell(fiber: Fiber, entry: StepEntry): void {
    if (onStep === undefined) return;
    const { routine, step, kind, line, state } = entry;
    const changed = new Map(fiber.changed);
    fiber.changed?.clear();
    onStep({ execution: fiber.execution.id, routine, step, kind, line, state, changed });
  }

  return {
    begin(fiber, { name, body, position }) {
      count += 1;
      const routine = fiber.places.at(-1)?.routine.name ?? 'main';
      const entry: StepEntry = {
        id: count,
        routine,
        step: name,
        kind: body.kind === 'nothing' ? 'next' : body.kind,
        line: position.line,
        startedMs: now(),
        state: 'running',
      };
      entries.push(entry);
      first += entries.length - first > MAX_ENTRIES ? 1 : 0;
      // Dropping them one by one would move all the others each time.
      if (first >= MAX_ENTRIES) {
        entries.splice(0, first);
        first = 0;
      }
      tell(fiber, entry);
      return entry;
    },
    end(fiber, entry, state) {
      entry.state = state;
      entry.endedMs = now();
      tell(fiber, entry);
    },
    entries: () => entries.slice(first),
    current: () => entries.filter(({ state }, at) => at >= first && state === 'running'),
  };
}
