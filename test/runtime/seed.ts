import type { PlanProposal } from '../../shared/messages/plan.ts';
import { refs } from '../../shared/core/refs.ts';
import type { Run } from '../../shared/core/run.ts';
import { type Submission, submitRun } from '../../shared/core/submit-run.ts';
import type { Task } from '../../shared/core/task.ts';
import { decomposeRun } from '../../shared/core/decompose-run.ts';
import type { FunctionRuntime } from './function-door.ts';

export const TENANT = 'local';

type Proposed = PlanProposal['tasks'][number];

export function proposed(id: string, more: Partial<Proposed> = {}): Proposed {
  return {
    id,
    agent: 'project_architect',
    instructions: `Do ${id}.`,
    dependencies: [],
    acceptance: [],
    scope: [],
    optional: false,
    ...more,
  };
}

/** An accepted run, by default with a plan of two tasks one after the other. */
export async function acceptedRun(runtime: FunctionRuntime, more: Partial<Submission> = {}): Promise<Run> {
  const { run } = await submitRun(runtime.ports, {
    tenant: TENANT,
    title: 'A requirement',
    requirement: 'A requirement',
    origin: { kind: 'api', actor: 'local' },
    priority: 'normal',
    dryRun: false,
    plan: { tasks: [proposed('first'), proposed('second', { dependencies: ['first'] })] },
    ...more,
  });
  return run;
}

/** The same with its tasks, the first of them dispatched. */
export async function executingRun(runtime: FunctionRuntime, more: Partial<Submission> = {}): Promise<Run> {
  const { id } = await acceptedRun(runtime, more);
  await decomposeRun(runtime.ports, { v: 1, tenant: TENANT, run: id });
  return readRun(runtime, id);
}

export async function readRun(runtime: FunctionRuntime, id: string): Promise<Run> {
  const found = await runtime.store.get(refs.run(TENANT, id));
  if (found === undefined) throw new Error(`there is no run ${id}`);
  return found.data;
}

export async function readTask(runtime: FunctionRuntime, run: string, id: string): Promise<Task> {
  const found = await runtime.store.get(refs.task(TENANT, run, id));
  if (found === undefined) throw new Error(`there is no task ${id}`);
  return found.data;
}
