import { readFileSync } from 'node:fs';
import { createRunnerWorkflows } from '../../shared/adapters/local/runner-workflows.ts';
import type { ExecutionView } from '../../shared/adapters/workflows/engine/execution-view.ts';
import { createRunner, type Runner } from '../../shared/adapters/workflows/engine/runner.ts';
import {
  createVirtualClock,
  type VirtualClock,
} from '../../shared/adapters/workflows/engine/virtual-clock.ts';
import type { Workflow } from '../../shared/adapters/workflows/syntax/ast.ts';
import { loadWorkflow } from '../../shared/adapters/workflows/syntax/load-workflow.ts';
import { toPlain } from '../../shared/adapters/workflows/values.ts';
import { claimBody, drivenPlanBody, type DriverView, stageBody } from '../../shared/messages/driver.ts';
import type { PlanProposal } from '../../shared/messages/plan.ts';
import type { AskedStage } from '../../shared/messages/stages.ts';
import type { Workflows } from '../../shared/ports/workflow-callbacks.ts';

export interface Asked {
  stage: AskedStage;
  execution: string;
  callback: string;
  sequence: number;
}

export interface StagesStandIn {
  runner: Runner;
  clock: VirtualClock;
  workflows: Workflows;
  /** The run, as its workflow reads it. */
  view: DriverView;
  /** Requests for stages that were taken, oldest first. */
  asked: Asked[];
  /** The plan that its workflow gave. */
  plan: PlanProposal['tasks'] | undefined;
  /** Every request, as `METHOD path`. */
  calls: string[];
  /** Answered instead of the next requests whose `METHOD path` it matches, so often. */
  fail(pattern: RegExp, status: number, times: number): void;
  /** What becomes of a stage that was asked for. @default it is over, and its callback is sent */
  onAsk: (asked: Asked) => void | Promise<void>;
  /** The stage is over, and perhaps the run with it. */
  over(changes?: Partial<DriverView>): void;
  /** Sends the callback of a request. */
  wake(asked: Asked): Promise<void>;
  start(flags?: Record<string, boolean>): Promise<string>;
  /** How the execution stands once everything waits. */
  settled(id: string): Promise<ExecutionView>;
  result(id: string): Promise<unknown>;
}

const RUN = 'abcd1234';

/** `functions/stages` played by the test, a run that does what it is told, and the workflow itself on a clock that takes no time. */
export function startStages(name: string): StagesStandIn {
  const source = readFileSync(new URL(`../../workflows/${name}.yaml`, import.meta.url), 'utf8');
  const clock = createVirtualClock({ isAutomatic: false });
  const faults: { pattern: RegExp; status: number; times: number }[] = [];
  const runner = createRunner({
    clock,
    env: { PENSTOCK_STAGES_URL: 'https://stages.test' },
    auth: { oidc: (audience) => Promise.resolve(`for ${audience}`), oauth2: () => Promise.resolve('') },
    fetch: async (input, init) => answer(new Request(input, init)),
  });
  const load = (): Workflow => {
    const { workflow, problems } = loadWorkflow(source, { name, connectors: runner.connectors.values() });
    if (workflow === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return workflow;
  };
  let driver: string | undefined;

  async function answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const call = `${request.method} ${path}`;
    stand.calls.push(call);
    const fault = faults.find(({ pattern, times }) => times > 0 && pattern.test(call));
    if (fault !== undefined) {
      fault.times -= 1;
      return new Response(null, { status: fault.status });
    }
    if (request.headers.get('authorization') !== 'Bearer for https://stages.test')
      return new Response(null, { status: 401 });
    if (request.headers.get('x-penstock-tenant') !== 'acme') return new Response(null, { status: 400 });
    if (request.method === 'GET') return Response.json(stand.view);
    const body: unknown = await request.json();
    if (path.endsWith('/claim')) return claim(claimBody.parse(body).execution);
    if (path === `/internal/runs/${RUN}/plan`) {
      stand.plan = drivenPlanBody.parse(body).tasks;
      return Response.json(stand.view, { status: 202 });
    }
    return take({ stage: path.split('/').at(-1) as AskedStage, ...stageBody.parse(body) });
  }

  function claim(execution: string): Response {
    driver ??= execution;
    return driver === execution ? Response.json(stand.view) : new Response(null, { status: 409 });
  }

  function take(asked: Asked): Response {
    const isNew = asked.sequence === stand.view.sequence;
    if (asked.execution !== driver || (!isNew && asked.sequence !== stand.view.sequence - 1))
      return new Response(null, { status: 409 });
    if (isNew) {
      stand.view = { ...stand.view, asked: asked.stage, over: false, sequence: asked.sequence + 1 };
      stand.asked.push(asked);
      void stand.onAsk(asked);
    }
    return Response.json(stand.view, { status: 202 });
  }

  const stand: StagesStandIn = {
    runner,
    clock,
    workflows: createRunnerWorkflows({ runner, load }),
    view: {
      run: RUN,
      stage: 'accepted',
      ended: false,
      paused: false,
      asked: null,
      over: false,
      sequence: 1,
      decision: null,
      fixRounds: 0,
      head: null,
      reason: null,
      flags: {},
    },
    asked: [],
    plan: undefined,
    calls: [],
    fail: (pattern, status, times) => void faults.push({ pattern, status, times }),
    onAsk: async (asked) => {
      stand.over(asked.stage === 'close' ? { stage: 'succeeded', ended: true } : {});
      await stand.wake(asked);
    },
    over: (changes) => void (stand.view = { ...stand.view, over: true, ...changes }),
    wake: ({ stage, sequence, callback, execution }) =>
      stand.workflows.wake({ workflow: name, id: execution }, callback, { stage, sequence }),
    start: async (flags = {}) => {
      const argument = { tenant: 'acme', run: RUN, flags };
      const { id } = await stand.workflows.start({ workflow: name, argument });
      return id;
    },
    settled: async (id) => {
      await clock.settled();
      const view = runner.state(id);
      if (view === undefined) throw new Error(`there is no execution ${id}`);
      return view;
    },
    result: async (id) => {
      const { state, result, error } = await stand.settled(id);
      if (state !== 'succeeded') throw new Error(`it is ${state}: ${error?.context ?? ''}`);
      return toPlain(result ?? null);
    },
  };
  return stand;
}
