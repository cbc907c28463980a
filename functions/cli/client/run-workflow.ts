import { serve } from '@hono/node-server';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { runJobsConnectors } from '../../../shared/adapters/workflows/connectors/run-jobs.ts';
import type { ExecutionView } from '../../../shared/adapters/workflows/engine/execution-view.ts';
import { createRunner, type Runner } from '../../../shared/adapters/workflows/engine/runner.ts';
import type { RunnerAuth } from '../../../shared/adapters/workflows/engine/services.ts';
import type { StepEvent } from '../../../shared/adapters/workflows/engine/step-log.ts';
import { createTimerWheel } from '../../../shared/adapters/workflows/engine/timer-wheel.ts';
import { createVirtualClock } from '../../../shared/adapters/workflows/engine/virtual-clock.ts';
import { Raised } from '../../../shared/adapters/workflows/errors.ts';
import { createExecutionsApi } from '../../../shared/adapters/workflows/executions-api/executions-api.ts';
import { plainText } from '../../../shared/adapters/workflows/plain-text.ts';
import type { Workflow } from '../../../shared/adapters/workflows/syntax/ast.ts';
import { loadWorkflow } from '../../../shared/adapters/workflows/syntax/load-workflow.ts';
import { fromJson, toJson, type Value } from '../../../shared/adapters/workflows/values.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Cli } from '../cli.ts';
import type { WorkflowsOptions } from '../commands/workflows.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { oneLine } from '../render/wording.ts';
import type { Screen } from '../screen.ts';
import { problemLine, readWorkflowFile } from './lint-workflows.ts';

type RunOptions = Pick<WorkflowsOptions, 'json' | 'data' | 'env' | 'trace' | 'virtualTime' | 'googleAuth'>;

const MAX_SHOWN = 200;

/** Runs one workflow here, in memory; its callback endpoints answer on loopback while it runs. */
export async function runWorkflow({ screen, end }: Cli, file: string, options: RunOptions): Promise<void> {
  const argument = argumentOf(options.data);
  let baseUrl = '';
  const runner = createRunner({
    clock: options.virtualTime === true ? createVirtualClock({ startMs: Date.now() }) : createTimerWheel(),
    env: options.env,
    connectors: runJobsConnectors(),
    auth: options.googleAuth === true ? await openGoogleAuth() : NOBODY,
    callbackBaseUrl: () => baseUrl,
    log: ({ severity, data }) => screen.aside(`${severity} ${oneLine(shown(data), MAX_SHOWN)}`),
    onFault: (error) => screen.error(error),
    onStep: (event) => sayStep({ screen, runner }, event, options),
  });
  const workflow = loaded(file, runner);
  const api = createExecutionsApi({ runner, workflow: () => undefined });
  const server = serve({ fetch: api, port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const interrupt = onInterrupt();
  try {
    const id = started(runner, workflow, argument);
    interrupt.signal.addEventListener('abort', () => runner.cancel(id));
    const view = await runner.finished(id);
    sayEnd(screen, view, options);
    end(
      interrupt.signal.aborted
        ? interrupt.exitCode
        : view.state === 'succeeded'
          ? exitCodes.done
          : exitCodes.failed,
    );
  } finally {
    interrupt.dispose();
    runner.close();
    server.close();
  }
}

/** A workflow that asks with an identity is told what to do about it. */
const NOBODY: RunnerAuth = {
  oidc: () => Promise.reject(noIdentity()),
  oauth2: () => Promise.reject(noIdentity()),
};

function noIdentity(): Error {
  return new Error(
    'workflows run has no identity; give --google-auth to ask with yours (gcloud auth application-default login)',
  );
}

async function openGoogleAuth(): Promise<RunnerAuth> {
  const { createRunnerAuth } = await import('../../../shared/adapters/google/runner-auth.ts');
  return createRunnerAuth();
}

function argumentOf(data: string | undefined): Value {
  if (data === undefined) return null;
  try {
    return fromJson(data);
  } catch (error) {
    throw new PenstockError(
      'invalid',
      `--data is not JSON (${(error as Error).message}); quote it for your shell`,
    );
  }
}

function loaded(file: string, runner: Runner): Workflow {
  const { name, text } = readWorkflowFile(file);
  const { workflow, problems } = loadWorkflow(text, { name, connectors: runner.connectors.values() });
  if (workflow !== undefined) return workflow;
  const reasons = problems
    .filter(({ severity }) => severity === 'error')
    .map((one) => problemLine(file, one));
  throw new PenstockError('invalid', `${file} cannot be run; correct what is wrong in it`, { reasons });
}

function started(runner: Runner, workflow: Workflow, argument: Value): string {
  try {
    return runner.start(workflow, argument);
  } catch (error) {
    throw error instanceof Raised ? new PenstockError('invalid', `--data: ${error.message}`) : error;
  }
}

/** The endpoint is told when the execution waits: nobody could send anything otherwise. */
function sayStep(
  { screen, runner }: { screen: Screen; runner: Runner },
  event: StepEvent,
  { trace = false }: RunOptions,
): void {
  const { execution, routine, step, kind, line, state, changed } = event;
  if (kind === 'call' && state === 'succeeded' && [...changed.values()].some(isEndpoint)) {
    const url = runner.callbacks(execution).at(-1)?.url ?? '';
    screen.aside(`callback endpoint: ${url}`);
  }
  if (!trace) return;
  const wrote = [...changed].map(([name, value]) => `${name} = ${oneLine(shown(value), MAX_SHOWN)}`);
  screen.aside(
    `${String(line).padStart(5)}  ${state.padEnd(9)}  ${routine}/${step}  ${wrote.join(', ')}`.trimEnd(),
  );
}

function isEndpoint(value: Value): boolean {
  return (
    value instanceof Map && value.size === 1 && plainText(value.get('url') ?? '').includes('/callbacks/')
  );
}

function sayEnd(screen: Screen, { state, result, error }: ExecutionView, { json }: RunOptions): void {
  if (state === 'succeeded') {
    const text = shown(result ?? null, json === true ? undefined : '  ');
    screen.out(json !== true && typeof result === 'string' ? result : text);
    return;
  }
  if (json === true) screen.json({ state, ...(error === undefined ? {} : { error }) });
  for (const line of (error?.context ?? `the execution was ${state}`).split('\n')) screen.aside(line);
}

/** As JSON; what JSON has not, such as bytes, by name. */
function shown(value: Value, indent?: string): string {
  if (typeof value === 'string' && indent === undefined && !value.includes('\n'))
    return JSON.stringify(value);
  try {
    return indent === undefined ? toJson(value) : toJson(value, { prefix: '', indent });
  } catch (error) {
    return error instanceof Raised ? `(${error.message})` : '';
  }
}
