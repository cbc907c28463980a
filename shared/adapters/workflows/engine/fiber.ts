import type { Routine, Step, Workflow } from '../syntax/ast.ts';
import type { Value } from '../values.ts';
import type { Branches } from './branch-slots.ts';
import type { CallbackBox } from './callback-box.ts';
import type { Interpreter } from './interpreter.ts';
import type { MemoryMeter } from './memory-meter.ts';
import type { Suspend } from './suspend.ts';
import type { StepLog } from './step-log.ts';
import type { Services } from './services.ts';

/** One execution, as the interpreter sees it. */
export interface Execution {
  readonly id: string;
  readonly workflow: Workflow;
  readonly services: Services;
  readonly memory: MemoryMeter;
  readonly branches: Branches;
  readonly log: StepLog;
  readonly suspend: Suspend;
  readonly interpreter: Interpreter;
  readonly callbacks: CallbackBox;
  /** The fiber begins to run, or ceases to without a call. */
  enter(): void;
  leave(): void;
  /** Whether it has ended, was cancelled, or is put down because the process ends. */
  isOver(): boolean;
  /** Has `work` done when the execution is over, unless the function it returns is called before. */
  onEnd(work: () => void): () => void;
  env(name: string): string | undefined;
  /** A number from 0 to 1, the same ones again in a replay; undefined where nothing is shuffled. */
  random?: () => number;
  /** Ends the execution with an error that no `except` may see. Nothing of it runs on. */
  fail(error: unknown): void;
  /** Steps begun so far. */
  steps: number;
}

/** Where a fiber stands in a routine. */
export interface Place {
  readonly routine: Routine;
  step: Step | undefined;
}

/** One line of control: the execution's own, or that of a branch or iteration of a parallel step. */
export interface Fiber {
  /** The same in a replay. */
  readonly id: string;
  readonly execution: Execution;
  /** Outermost first. */
  readonly places: Place[];
  readonly parallelDepth: number;
  /** Calls made so far that may suspend. */
  calls: number;
  /** Parallel steps begun so far. */
  forks: number;
  /** What the current step wrote, where somebody looks on. */
  changed?: Map<string, Value>;
}
