import { Raised, resourceLimitError, systemError } from '../errors.ts';
import type { Workflow } from '../syntax/ast.ts';
import { toJson, type Value, type ValueMap } from '../values.ts';
import { createBranches } from './branch-slots.ts';
import { type CallbackBox, createCallbackBox, type Receipt } from './callback-box.ts';
import type { Execution, Fiber } from './fiber.ts';
import { interpreter } from './interpreter.ts';
import type { Journal, JournalEntry, Outcome, StartedEntry, StepEntry } from './journal.ts';
import { createMemoryMeter } from './memory-meter.ts';
import { errorOf } from './raised-at.ts';
import { seededRandom } from './random.ts';
import { createRecord, type Recorded } from './record.ts';
import { callRoutine } from './run-call.ts';
import type { Services } from './services.ts';
import { createStepLog } from './step-log.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

export interface ExecutionConfig {
  readonly id: string;
  readonly workflow: Workflow;
  readonly started: StartedEntry;
  readonly journal: Journal;
  readonly services: Services;
  env(name: string): string | undefined;
  onEnded(outcome: Outcome): void;
  /** Something went wrong that is no error of the workflow; the execution stands still until it is taken up again. */
  onFault(error: unknown): void;
}

/** An execution that has not ended. */
export interface LiveExecution {
  readonly started: StartedEntry;
  readonly callbacks: CallbackBox;
  /** With what was written down of it after its start; nothing for a new one. */
  run(entries: readonly JournalEntry[]): void;
  cancel(): void;
  /** Stops it here; another process goes on with it. */
  putDown(): void;
  receive(endpoint: string, method: string, value: Value): Receipt;
  steps(): readonly StepEntry[];
  current(): readonly StepEntry[];
}

export function createLiveExecution(config: ExecutionConfig): LiveExecution {
  const { id, workflow, started, journal, services } = config;
  const callbacks = createCallbackBox();
  const log = createStepLog(() => services.clock.now(), services.onStep);
  const endings = new Set<() => void>();
  let isOver = false;

  function stop(): void {
    isOver = true;
    record.stop();
    for (const work of endings) work();
    endings.clear();
  }

  function putDown(): void {
    if (!isOver) stop();
  }

  /** Writes it down first: what nobody can read again has not happened. */
  function finish(outcome: Outcome): void {
    if (isOver) return;
    const atMs = services.clock.now();
    try {
      journal.append(id, { type: 'ended', atMs, outcome, steps: log.entries() });
    } catch (error) {
      halt(error);
      return;
    }
    stop();
    config.onEnded(outcome);
  }

  function halt(error: unknown): void {
    putDown();
    config.onFault(error);
  }

  function fail(error: unknown): void {
    if (isOver) return;
    const raised = raisedOf(error);
    if (raised === undefined) config.onFault(error);
    finish({ state: 'failed', error: errorOf(raised ?? systemError(`the runner failed: ${String(error)}`)) });
  }

  const record: Recorded = createRecord({
    id,
    journal,
    services,
    callbacks,
    fail,
    halt,
    isOver: () => isOver,
  });
  const random = started.seed === undefined ? undefined : seededRandom(started.seed);
  const execution: Execution = {
    id,
    workflow,
    services,
    memory: createMemoryMeter(),
    branches: createBranches(),
    log,
    suspend: record.suspend,
    interpreter,
    callbacks,
    enter: record.enter,
    leave: record.leave,
    isOver: () => isOver,
    onEnd(work) {
      endings.add(work);
      return () => void endings.delete(work);
    },
    env: (name) => config.env(name),
    ...(random === undefined ? {} : { random }),
    fail,
    steps: 0,
  };

  async function main(): Promise<void> {
    // The caller goes on first: it learns the id before anything happens.
    await Promise.resolve();
    try {
      const result = await callRoutine(workflow.main, argumentOf(workflow, started), rootOf(execution));
      // The service answers with JSON: what returns bytes or a function fails.
      toJson(result);
      finish({ state: 'succeeded', result: encodeValue(result) });
    } catch (error) {
      fail(error);
    }
    record.leave();
  }

  return {
    started,
    callbacks,
    run(entries) {
      record.enter();
      record.replay(entries);
      void main();
    },
    cancel: () => finish({ state: 'cancelled' }),
    putDown,
    receive(endpoint, method, value) {
      const receipt = callbacks.check(endpoint, method);
      if (receipt !== 'accepted') return receipt;
      const request = services.newId();
      journal.append(id, { type: 'callback', request, endpoint, value: encodeValue(value) });
      callbacks.put(endpoint, { id: request, value });
      return receipt;
    },
    steps: log.entries,
    current: log.current,
  };
}

function raisedOf(error: unknown): Raised | undefined {
  if (error instanceof Raised) return error;
  return error instanceof RangeError
    ? resourceLimitError('a value is nested too deeply or has grown too large')
    : undefined;
}

function rootOf(execution: Execution): Fiber {
  const isWatched = execution.services.onStep !== undefined;
  return {
    id: '0',
    execution,
    places: [],
    parallelDepth: 0,
    calls: 0,
    forks: 0,
    ...(isWatched ? { changed: new Map<string, Value>() } : {}),
  };
}

function argumentOf({ main }: Workflow, { argument }: StartedEntry): ValueMap {
  const [parameter] = main.parameters;
  if (parameter === undefined) return new Map();
  const given = decodeValue(argument);
  return new Map([[parameter.name, given ?? parameter.default ?? null]]);
}
