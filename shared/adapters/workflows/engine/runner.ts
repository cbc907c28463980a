import { resourceLimitError, systemError, valueError } from '../errors.ts';
import type { Workflow } from '../syntax/ast.ts';
import { loadWorkflow } from '../syntax/load-workflow.ts';
import { toJson, type Value } from '../values.ts';
import type { Receipt } from './callback-box.ts';
import type { Connector } from './connector.ts';
import { createLiveExecution, type LiveExecution } from './execution.ts';
import { type ExecutionView, viewOf } from './execution-view.ts';
import type { Endpoint, JournalEntry, Outcome, StartedEntry, StepEntry } from './journal.ts';
import { createMemoryJournal } from './memory-journal.ts';
import { errorOf } from './raised-at.ts';
import { RUN_LIMITS } from './run-limits.ts';
import { environmentOf, type RunnerConfig, servicesOf } from './runner-config.ts';
import { encodeValue } from './value-codec.ts';

export interface StartOptions {
  /** @default a new one */
  executionId?: string;
  labels?: Readonly<Record<string, string>>;
}

/** Runs executions of workflows in this process. */
export interface Runner {
  readonly project: string;
  readonly location: string;
  readonly connectors: ReadonlyMap<string, Connector>;
  /** The time of its clock, in milliseconds. */
  now(): number;
  /**
   * Begins an execution, written down when this returns its id.
   * @throws Raised ResourceLimitError for an argument of more than 32 KB, ValueError for an id that is there already
   */
  start(workflow: Workflow, argument: Value, options?: StartOptions): string;
  /** Undefined: unknown, or ended so long ago that it is forgotten. */
  state(execution: string): ExecutionView | undefined;
  /** Resolves when it has ended. */
  finished(execution: string): Promise<ExecutionView>;
  /** Executions of a workflow, newest first; `after` is the last of the page before. */
  list(workflow: string, page: { limit: number; after?: string }): ExecutionView[];
  /** False: it has ended already, or is unknown. */
  cancel(execution: string): boolean;
  /** The open callback endpoints. */
  callbacks(execution: string): readonly Endpoint[];
  /** Hands a request to a callback endpoint; it is kept until the execution waits for it. */
  receive(request: CallbackCall): Receipt;
  /** The newest steps, oldest first. */
  steps(execution: string): readonly StepEntry[];
  /** Goes on with all executions that a process before this one left; how many those are. */
  recover(): number;
  /** Stops all executions where they stand, for another process to recover, and closes the journal. */
  close(): void;
}

export interface CallbackCall {
  readonly execution: string;
  readonly callback: string;
  readonly method: string;
  /** What `events.await_callback` answers. */
  readonly value: Value;
}

const KEPT_MS = 90 * 24 * 3_600_000;

/**
 * A runner of Google Cloud Workflows that knows no Google.
 *
 * ```ts
 * const runner = createRunner({ fetch, journal: openSqliteJournal({ folder: '.data' }) });
 * runner.recover();
 * const { workflow, problems } = loadWorkflow(text, { name: 'hello', connectors: runner.connectors.values() });
 * if (workflow === undefined) throw new Error(problems[0]?.message);
 * const { state, result } = await runner.finished(runner.start(workflow, fromPlain({ name: 'Ada' })));
 * ```
 *
 * In a test, `clock: createVirtualClock()` makes sleeps, retries, timeouts and polls take no time.
 */
export function createRunner(config: RunnerConfig = {}): Runner {
  const { project = 'local', location = 'local', seed, journal = createMemoryJournal() } = config;
  const services = servicesOf(config, { project, location });
  const live = new Map<string, LiveExecution>();
  const waiting = new Map<string, ((view: ExecutionView) => void)[]>();
  const loaded = new Map<string, Workflow>();

  function launch(id: string, workflow: Workflow, [first, ...entries]: readonly JournalEntry[]): void {
    // One text for all that share the workflow, not one for each.
    const started: StartedEntry = { ...(first as StartedEntry), source: workflow.source };
    const env = environmentOf({ id, workflow, project, location, env: config.env });
    const execution = createLiveExecution({
      id,
      workflow,
      started,
      journal,
      services,
      env: (name) => env.get(name),
      onEnded: () => ended(id),
      onFault: (error) => config.onFault?.(error, id),
    });
    live.set(id, execution);
    execution.run(entries);
  }

  function ended(id: string): void {
    live.delete(id);
    const view = state(id);
    const waiters = waiting.get(id) ?? [];
    waiting.delete(id);
    if (view !== undefined) for (const resolve of waiters) resolve(view);
  }

  function state(id: string): ExecutionView | undefined {
    const execution = live.get(id);
    if (execution !== undefined) return viewOf({ id, started: execution.started }, execution.current());
    const summary = journal.find(id);
    return summary === undefined ? undefined : viewOf(summary, []);
  }

  function load(id: string, { workflow: name, source }: StartedEntry): Workflow | undefined {
    const known = loaded.get(source);
    if (known?.name === name) return known;
    const { workflow, problems } = loadWorkflow(source, { name, connectors: services.connectors.values() });
    if (workflow !== undefined) {
      loaded.set(source, workflow);
      return workflow;
    }
    const why = problems.find(({ severity }) => severity === 'error')?.message ?? 'it has errors';
    const error = errorOf(systemError(`the workflow it began with can no longer be loaded: ${why}`));
    const outcome: Outcome = { state: 'failed', error };
    journal.append(id, { type: 'ended', atMs: services.clock.now(), outcome, steps: [] });
    return undefined;
  }

  return {
    project,
    location,
    connectors: services.connectors,
    now: () => services.clock.now(),
    start(workflow, argument, { executionId: id = services.newId(), labels } = {}) {
      if (Buffer.byteLength(toJson(argument)) > RUN_LIMITS.argumentBytes)
        throw resourceLimitError(`the argument has more than ${RUN_LIMITS.argumentBytes / 1024} KB`);
      const started: StartedEntry = {
        type: 'started',
        atMs: services.clock.now(),
        workflow: workflow.name,
        source: workflow.source,
        argument: encodeValue(argument),
        ...(seed === undefined ? {} : { seed }),
        ...(labels === undefined ? {} : { labels }),
      };
      if (journal.find(id) !== undefined) throw valueError(`there is an execution ${id} already`);
      journal.append(id, started);
      launch(id, workflow, [started]);
      return id;
    },
    state,
    finished: (id) =>
      new Promise((resolve, reject) => {
        const view = state(id);
        if (view === undefined) reject(systemError(`there is no execution ${id}`));
        else if (view.state !== 'active') resolve(view);
        else waiting.set(id, [...(waiting.get(id) ?? []), resolve]);
      }),
    list: (workflow, page) => journal.list(workflow, page).map((one) => state(one.id) ?? viewOf(one, [])),
    cancel(id) {
      const execution = live.get(id);
      execution?.cancel();
      return execution !== undefined;
    },
    callbacks: (id) => live.get(id)?.callbacks.endpoints() ?? [],
    receive: ({ execution, callback, method, value }) =>
      live.get(execution)?.receive(callback, method, value) ?? 'not_found',
    steps: (id) => live.get(id)?.steps() ?? journal.find(id)?.ended?.steps ?? [],
    recover() {
      journal.prune(services.clock.now() - KEPT_MS);
      const found = journal.active().filter((id) => !live.has(id));
      for (const id of found) {
        const entries = journal.read(id);
        const workflow = load(id, entries[0] as StartedEntry);
        if (workflow !== undefined) launch(id, workflow, entries);
      }
      return found.length;
    },
    close() {
      for (const execution of live.values()) execution.putDown();
      live.clear();
      journal.close();
    },
  };
}
