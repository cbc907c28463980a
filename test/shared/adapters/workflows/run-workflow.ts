import { createRunner, type Runner } from '../../../../shared/adapters/workflows/engine/runner.ts';
import type { RunnerConfig } from '../../../../shared/adapters/workflows/engine/runner-config.ts';
import {
  createVirtualClock,
  type VirtualClock,
} from '../../../../shared/adapters/workflows/engine/virtual-clock.ts';
import type { ExecutionView } from '../../../../shared/adapters/workflows/engine/execution-view.ts';
import type { Workflow } from '../../../../shared/adapters/workflows/syntax/ast.ts';
import { loadWorkflow } from '../../../../shared/adapters/workflows/syntax/load-workflow.ts';
import { fromPlain, toPlain } from '../../../../shared/adapters/workflows/values.ts';

export interface TestRunner {
  runner: Runner;
  clock: VirtualClock;
  load: (text: string, name?: string) => Workflow;
  /** Begins an execution; resolves at its end. */
  run: (text: string, argument?: unknown) => Promise<ExecutionView>;
  /** What a workflow returns, as JavaScript; fails with what it raised. */
  result: (text: string, argument?: unknown) => Promise<unknown>;
}

/** A runner on a virtual clock. What is wrong with the runner itself fails the test. */
export function testRunner(config: RunnerConfig & { clock?: VirtualClock } = {}): TestRunner {
  const clock = config.clock ?? createVirtualClock();
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const runner = createRunner({ onFault, fetch: noFetch, ...config, clock });

  function load(text: string, name = 'test'): Workflow {
    const { workflow, problems } = loadWorkflow(text, { name, connectors: runner.connectors.values() });
    if (workflow !== undefined) return workflow;
    throw new Error(problems.map(({ line, column, message }) => `${line}:${column} ${message}`).join('\n'));
  }

  async function run(text: string, argument: unknown = null): Promise<ExecutionView> {
    const view = await runner.finished(runner.start(load(text), fromPlain(argument)));
    if (faults.length > 0) throw faults[0];
    return view;
  }

  return {
    runner,
    clock,
    load,
    run,
    async result(text, argument) {
      const { state, result, error } = await run(text, argument);
      if (state !== 'succeeded') throw new Error(`${state}: ${error?.context ?? ''}`);
      return toPlain(result ?? null);
    },
  };
}

function noFetch(): Promise<Response> {
  return Promise.reject(new Error('this test asks nobody'));
}

/** The same text without the indentation of its first line, and with quotes around expressions, which YAML's {…} needs. */
export function yaml(text: string): string {
  const lines = text.replace(/^\n/, '').split('\n');
  const margin = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0;
  const unquoted = /(?<=[:,[] ?)\$\{[^}]*\}(?=[,}\]]|$)/gm;
  return lines.map((line) => line.slice(margin).replaceAll(unquoted, (found) => `'${found}'`)).join('\n');
}
