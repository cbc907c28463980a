import type { Runner } from '../workflows/engine/runner.ts';
import { createExecutionsApi } from '../workflows/executions-api/executions-api.ts';
import type { Workflow } from '../workflows/syntax/ast.ts';
import { fromPlain } from '../workflows/values.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { WorkflowExecution } from '../../ports/workflow-starter.ts';
import type { WakeNotice, Workflows } from '../../ports/workflow-callbacks.ts';

export interface RunnerWorkflowsConfig {
  runner: Runner;
  /** As its file is now. @throws PenstockError `config` where it is not there or cannot be run */
  load: (name: string) => Workflow;
}

/** Workflows on the runner in this process. A wake takes the way of every other callback request, without a network. */
export function createRunnerWorkflows({ runner, load }: RunnerWorkflowsConfig): Workflows {
  const api = createExecutionsApi({ runner, workflow: load });
  // Each is one step of this process: what it did is known when it answers.
  const now = <T>(work: () => T): Promise<T> => new Promise((resolve) => resolve(work()));
  return {
    start: ({ workflow, argument }) =>
      now(() => ({ workflow, id: runner.start(load(workflow), fromPlain(argument)) })),
    cancel: ({ id }) => now(() => void runner.cancel(id)),
    state: ({ id }) => now(() => runner.state(id)?.state ?? 'unavailable'),
    wake: async (execution, callback, notice) => {
      const { status } = await api(wakeRequest(runner, { execution, callback, notice }));
      if (status < 400 || status === 404) return;
      throw new PenstockError(
        'unavailable',
        `execution ${execution.id} of workflow ${execution.workflow} does not take callback ${callback} now (${status}); it is told again`,
        { retry: 'later' },
      );
    },
  };
}

function wakeRequest(
  { project, location }: Runner,
  { execution, callback, notice }: { execution: WorkflowExecution; callback: string; notice: WakeNotice },
): Request {
  const { workflow, id } = execution;
  const path = `/v1/projects/${project}/locations/${location}/workflows/${workflow}/executions/${id}/callbacks/${callback}`;
  return new Request(`http://127.0.0.1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(notice),
  });
}
